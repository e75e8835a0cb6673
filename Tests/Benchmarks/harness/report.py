"""Medians, spread and ratios of a workload's samples, and the table."""

import statistics
from dataclasses import dataclass

from .servers import CEILING, GRPC_PEERS, OURS

NOISY = 0.25  # processors that others used while we measured


@dataclass
class Row:
    workload: object
    samples: dict   # server name -> list of dictionaries
    failures: dict  # server name -> message

    def values(self, name):
        return [self.workload.value(sample) for sample in self.samples.get(name, [])]

    def median(self, name):
        values = self.values(name)
        return statistics.median(values) if values else None

    def spread(self, name):
        """Half of (most - least), as a share of the median."""
        values, median = self.values(name), self.median(name)
        if len(values) < 2 or not median:
            return None
        return (max(values) - min(values)) / 2 / abs(median)

    def best_peer(self):
        """The gRPC peer to beat."""
        medians = {name: self.median(name) for name in GRPC_PEERS if self.values(name)}
        if not medians:
            return None
        choose = max if self.workload.higher_is_better else min
        return choose(medians, key=medians.get)

    def ratio(self, name, value=None):
        """Ours to theirs: the median over the rounds, whose runs lie close together in time."""
        value = value or self.workload.value
        ours, theirs = self.samples.get(OURS, []), self.samples.get(name, [])
        ratios = [value(a) / value(b) for a, b in zip(ours, theirs) if value(b)]
        return statistics.median(ratios) if ratios else None

    def per_processor_ratio(self, name):
        """The ratio of what one second of the server's processor time achieves."""
        if not self.workload.per_processor:
            return None
        return self.ratio(
            name, lambda sample: self.workload.value(sample) / max(sample["server_cpu"], 0.01))

    def noise(self):
        """Processors that others used, the median over all samples."""
        values = [sample["other_cpu"] for samples in self.samples.values() for sample in samples
                  if "other_cpu" in sample]
        return statistics.median(values) if values else None

    def verdict(self):
        """True or False against the aim; None where there is nothing to judge."""
        aim, peer = self.workload.aim, self.best_peer()
        mine = self.median(OURS)
        if mine is None:
            return None
        checks = []
        for limit, name, at_least in (
                (aim.peer_at_least, peer, True), (aim.peer_at_most, peer, False),
                (aim.ceiling_at_least, CEILING, True), (aim.ceiling_at_most, CEILING, False)):
            if limit is None:
                continue
            ratio = self.ratio(name) if name else None
            if ratio is None:
                return None
            checks.append(ratio >= limit if at_least else ratio <= limit)
        if aim.at_most is not None:
            checks.append(mine <= aim.at_most)
        if aim.at_least is not None:
            checks.append(mine >= aim.at_least)
        return all(checks) if checks else None

    def summary(self):
        """For the JSON file."""
        peer = self.best_peer()
        return {
            "name": self.workload.name, "title": self.workload.title, "unit": self.workload.unit,
            "aim": self.workload.aim.text, "met": self.verdict(),
            "medians": {name: self.median(name) for name in self.samples},
            "spreads": {name: self.spread(name) for name in self.samples},
            "best_peer": peer,
            "ratio_to_best_peer": self.ratio(peer) if peer else None,
            "ratio_to_best_peer_per_processor": self.per_processor_ratio(peer) if peer else None,
            "ratio_to_nghttpd": self.ratio(CEILING),
            "ratio_to_nghttpd_per_processor": self.per_processor_ratio(CEILING),
            "others_used_processors": self.noise(),
            "failures": self.failures,
            "samples": self.samples,
        }


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_spread(row, name):
    if not row.values(name):
        return "failed" if name in row.failures else "-"
    spread = row.spread(name)
    return number(row.median(name)) + (f" ±{spread:.0%}" if spread is not None else "")


def with_processor(ratio, per_processor):
    if ratio is None:
        return "-"
    return f"{ratio:.2f}" + (f" ({per_processor:.2f})" if per_processor is not None else "")


def table(rows):
    """Markdown; the ratio per second of server processor time stands in parentheses."""
    heading = ["workload", "ours", *GRPC_PEERS, CEILING, "vs best gRPC", "vs nghttpd", "aim", ""]
    cells = [heading]
    for row in rows:
        peer = row.best_peer()
        verdict = {True: "met", False: "MISSED", None: ""}[row.verdict()]
        noise = row.noise()
        if noise is not None and noise > NOISY:
            verdict += " (noisy)"
        cells.append([
            f"{row.workload.title}, {row.workload.unit}",
            *(with_spread(row, name) for name in (OURS, *GRPC_PEERS, CEILING)),
            with_processor(row.ratio(peer), row.per_processor_ratio(peer)) if peer else "-",
            with_processor(row.ratio(CEILING), row.per_processor_ratio(CEILING)),
            row.workload.aim.text, verdict.strip()])
    widths = [max(len(line[i]) for line in cells) for i in range(len(heading))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
             for line in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
