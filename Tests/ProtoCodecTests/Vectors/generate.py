#!/usr/bin/env python3
"""Writes vectors.txt beside it: what Python's protobuf makes of messages, and what it refuses.

Needs the packages protobuf and grpcio-tools. Run it after a change of everything.proto; its output is
checked in. Every line has tabs between its columns:

    message  NAME  BINARY  JSON           a message in both forms; maps have one entry at most
    message* NAME  BINARY  JSON           the same with larger maps, whose order is free
    binary   NAME  INPUT   OUTPUT         an unusual input, and what is written after reading it
    json     NAME  INPUT   BINARY         an unusual JSON input, and the message in binary
    bad-binary NAME INPUT                 bytes that are refused
    bad-json   NAME INPUT                 a text that is refused
"""

import random
import struct
import tempfile
from pathlib import Path

from google.protobuf import (
    any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, empty_pb2, field_mask_pb2, json_format,
    message, message_factory, struct_pb2, timestamp_pb2, wrappers_pb2)
from grpc_tools import protoc

HERE = Path(__file__).parent
KNOWN = (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
SEED = 20261123


def load():
    with tempfile.NamedTemporaryFile() as out:
        status = protoc.main(
            ["protoc", f"-I{HERE}", f"--descriptor_set_out={out.name}", "everything.proto"])
        assert status == 0
        files = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    pool = descriptor_pool.Default()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    names = [f"codec.test.v1.{name}" for name in
             "Scalars Optionals Lists Unpacked Maps Choices Node OldNode".split()]
    for module in KNOWN:
        names += [m.full_name for m in module.DESCRIPTOR.message_types_by_name.values()]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
            for name in names}


TYPES = load()
LINES = []


def emit(*columns):
    assert all("\t" not in column and "\n" not in column for column in columns), columns
    LINES.append("\t".join(columns))


def binary(value):
    return value.SerializeToString(deterministic=True).hex()


def text(value):
    return json_format.MessageToJson(value, indent=None, sort_keys=True, ensure_ascii=False)


def emit_message(value, kind="message"):
    emit(kind, value.DESCRIPTOR.full_name, binary(value), text(value))


def emit_binary(name, data):
    """An input that Python takes; the output is what Python writes."""
    emit("binary", name, data.hex(), binary(TYPES[name].FromString(data)))


def emit_json(name, data, **options):
    emit("json", name, data, binary(json_format.Parse(data, TYPES[name](), **options)))


def emit_bad_binary(name, data):
    try:
        TYPES[name].FromString(data)
    except message.DecodeError:
        emit("bad-binary", name, data.hex())
        return
    raise SystemExit(f"Python takes {data.hex()} for a {name}")


def emit_bad_json(name, data):
    try:
        json_format.Parse(data, TYPES[name]())
    except json_format.ParseError:
        emit("bad-json", name, data)
        return
    raise SystemExit(f"Python takes {data} for a {name}")


# Random messages

FIELD = descriptor_pb2.FieldDescriptorProto
INTEGERS = {
    FIELD.TYPE_INT32: (-2**31, 2**31 - 1), FIELD.TYPE_SINT32: (-2**31, 2**31 - 1),
    FIELD.TYPE_SFIXED32: (-2**31, 2**31 - 1), FIELD.TYPE_UINT32: (0, 2**32 - 1),
    FIELD.TYPE_FIXED32: (0, 2**32 - 1), FIELD.TYPE_INT64: (-2**63, 2**63 - 1),
    FIELD.TYPE_SINT64: (-2**63, 2**63 - 1), FIELD.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    FIELD.TYPE_UINT64: (0, 2**64 - 1), FIELD.TYPE_FIXED64: (0, 2**64 - 1)}
CHARACTERS = ["a", "Z", "0", " ", '"', "\\", "/", "ä", "ß", "€", "\u2028", "\U0001F512", "\x7f"]


def integer(dice, low, high):
    edges = [low, high, 0, 1, 127, 128, 16383, 16384, 2**21, 2**28, 2**35, 2**42, 2**49, 2**56, -1]
    if dice.random() < 0.6:
        value = dice.choice(edges) + dice.choice([-1, 0, 0, 1])
        return min(max(value, low), high)
    return dice.randint(low, high)


def scalar(dice, field):
    if field.type in INTEGERS:
        return integer(dice, *INTEGERS[field.type])
    if field.type == FIELD.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == FIELD.TYPE_STRING:
        return "".join(dice.choice(CHARACTERS) for _ in range(dice.choice([0, 1, 5, 15, 16, 40])))
    if field.type == FIELD.TYPE_BYTES:
        return dice.randbytes(dice.choice([0, 1, 2, 3, 16, 200]))
    if field.type == FIELD.TYPE_ENUM:
        return dice.choice([0, 1, 2, -5])
    special = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), 1e-30, 12345.678]
    value = dice.choice(special)
    if field.type == FIELD.TYPE_FLOAT:
        value = struct.unpack("<f", struct.pack("<f", value))[0]
    return value


def fill(dice, value, depth, entries):
    chosen = {oneof: dice.choice([None] + list(oneof.fields))
              for oneof in value.DESCRIPTOR.oneofs if len(oneof.fields) > 1}
    for field in value.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof in chosen and chosen[oneof] is not field or dice.random() < 0.35:
            continue
        is_message = field.type == FIELD.TYPE_MESSAGE
        if is_message and field.message_type.GetOptions().map_entry:
            key, item = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            if item.type == FIELD.TYPE_MESSAGE and depth == 0:
                continue
            for _ in range(dice.randint(1, entries)):
                made = getattr(value, field.name)
                if item.type == FIELD.TYPE_MESSAGE:
                    fill(dice, made[scalar(dice, key)], depth - 1, entries)
                else:
                    made[scalar(dice, key)] = scalar(dice, item)
        elif is_message and depth == 0:
            continue
        elif field.is_repeated:
            made = getattr(value, field.name)
            for _ in range(dice.choice([1, 2, 3, 20]) if not is_message else dice.randint(1, 3)):
                if is_message:
                    fill(dice, made.add(), depth - 1, entries)
                else:
                    made.append(scalar(dice, field))
        elif is_message:
            made = getattr(value, field.name)
            made.SetInParent()
            fill(dice, made, depth - 1, entries)
        else:
            setattr(value, field.name, scalar(dice, field))


def random_messages():
    dice = random.Random(SEED)
    for name in TYPES:
        if not name.startswith("codec.test"):
            continue
        emit_message(TYPES[name]())
        for number in range(24):
            value = TYPES[name]()
            entries = 1 if number % 4 else 4
            fill(dice, value, dice.choice([0, 1, 1, 2]), entries)
            emit_message(value, "message" if entries == 1 else "message*")


# Inputs that are unusual, and right

def varint(value):
    value &= 2**64 - 1
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def tag(number, wire):
    return varint(number << 3 | wire)


def block(number, data):
    return tag(number, 2) + varint(len(data)) + data


def unusual_binary():
    s, n, c = "codec.test.v1.Scalars", "codec.test.v1.Node", "codec.test.v1.Choices"
    lists, unpacked, maps = (f"codec.test.v1.{x}" for x in ("Lists", "Unpacked", "Maps"))
    emit_binary(s, tag(3, 0) + varint(1) + tag(3, 0) + varint(2))  # the last value wins
    emit_binary(s, tag(3, 0) + varint(2**40 + 7))                  # truncated to 32 bits
    emit_binary(s, tag(5, 0) + varint(2**40 + 7))
    emit_binary(s, tag(13, 0) + varint(2**40))                     # any number but 0 is true
    emit_binary(s, tag(3, 0) + bytes.fromhex("8100"))              # longer than it need be
    emit_binary(s, tag(4, 0) + bytes.fromhex("ffffffffffffffffff01"))
    emit_binary(s, tag(4, 0) + bytes.fromhex("81808080808080808000"))
    emit_binary(s, bytes.fromhex("9800") + varint(1))              # a tag longer than it need be
    emit_binary(s, tag(16, 0) + varint(77))                        # a number without a name
    emit_binary(s, tag(16, 0) + varint(-5))
    emit_binary(s, block(14, b"\x8a\x20"[:0]))                     # empty is the default
    emit_binary(s, block(2, b"abc"))                               # not the field's wire type
    emit_binary(s, tag(3, 5) + b"abcd" + tag(3, 0) + varint(4))
    # Fields that are not known, between those that are; groups among them.
    emit_binary(s, tag(99, 0) + varint(5) + tag(3, 0) + varint(1) + block(1000, b"xyz"))
    emit_binary(s, tag(77, 1) + bytes(8) + tag(78, 5) + bytes(4))
    emit_binary(s, tag(50, 3) + tag(1, 0) + varint(1) + tag(50, 4))
    emit_binary(s, tag(50, 3) + tag(51, 3) + block(1, b"in") + tag(51, 4) + tag(50, 4) + tag(3, 0)
                + varint(9))
    emit_binary(s, tag(536870911, 0) + varint(1))
    # Sub-messages are merged.
    emit_binary(n, block(5, tag(3, 0) + varint(1)) + block(5, tag(4, 0) + varint(2)))
    emit_binary(n, block(2, block(1, b"a") + block(6, b"\x01"))
                + block(2, block(6, b"\x02") + block(2, b"")))
    emit_binary(c, block(19, block(1, b"a") + block(6, b"\x01")) + block(19, block(6, b"\x02")))
    emit_binary(c, block(19, block(1, b"a")) + block(15, b"x") + block(19, block(6, b"\x02")))
    emit_binary(c, block(20, block(1, b"a")) + block(20, block(16, b"b")))
    emit_binary(c, block(15, b"x") + tag(14, 0) + varint(0))
    # Both forms of lists, mixed.
    for name in (lists, unpacked):
        emit_binary(name, tag(3, 0) + varint(1) + block(3, varint(2) + varint(-3)) + tag(3, 0)
                    + varint(4))
        emit_binary(name, tag(9, 5) + b"abcd" + block(9, b"efghijkl"))
        emit_binary(name, tag(1, 1) + bytes(8) + block(1, bytes(range(16))))
        emit_binary(name, tag(13, 0) + varint(1) + block(13, b"\x00\x01\x80\x01"))
        emit_binary(name, tag(16, 0) + varint(1) + block(16, varint(-5) + varint(99)))
        emit_binary(name, block(7, b"") + block(3, b""))
    emit_binary(lists, block(14, b"") + block(14, b"a") + block(14, b""))
    # Maps: entries without key or value, in the other order, with more than they should have.
    emit_binary(maps, block(1, b""))
    emit_binary(maps, block(1, block(2, b"v")))
    emit_binary(maps, block(1, block(1, b"k")))
    emit_binary(maps, block(1, block(2, b"v") + block(1, b"k")))
    emit_binary(maps, block(1, block(1, b"k") + block(2, b"v") + block(2, b"w")))
    emit_binary(maps, block(1, block(1, b"k") + block(2, b"v")) + block(1, block(1, b"k")))
    emit_binary(maps, block(14, block(1, b"k") + block(2, block(1, b"a"))
                            + block(2, block(6, b"\x01"))))
    emit_binary(maps, block(14, block(1, b"k")))
    emit_binary(maps, block(12, tag(1, 0) + varint(2) + tag(2, 0) + varint(3)))
    deep = b""
    for _ in range(99):
        deep = block(2, deep)
    emit_binary(n, deep)


def bad_binary():
    s, n, lists, maps = (f"codec.test.v1.{x}" for x in ("Scalars", "Node", "Lists", "Maps"))
    for data in (
            b"\x00", b"\x00\x01", b"\x04", b"\x07\x01", tag(3, 6), tag(3, 7), tag(3, 4),  # tags
            b"\x80", b"\x80\x80\x80\x80\x80\x01", b"\xff\xff\xff\xff\x1f\x01",
            tag(3, 0), tag(3, 0) + b"\x80" * 10 + b"\x01", tag(3, 0) + b"\xff" * 9,     # varints
            tag(1, 1) + b"1234567", tag(2, 5) + b"123", block(14, b"abc")[:-1],         # too short
            tag(14, 2), tag(14, 2) + varint(2**31), tag(14, 2) + varint(2**63),
            tag(14, 2) + varint(2**64 - 1), tag(99, 2) + varint(5) + b"1234",
            tag(99, 1), tag(99, 0) + b"\x80",
            tag(50, 3), tag(50, 3) + tag(51, 4), tag(50, 4), tag(50, 3) * 200 + tag(50, 4) * 200,
            tag(50, 3) + tag(51, 3) + tag(50, 4) + tag(51, 4),
            block(14, b"\xff"), block(14, b"\xc0\x80"), block(14, b"\xed\xa0\x80"),      # UTF-8
            block(14, b"\xf4\x90\x80\x80"), block(14, b"a\xe2\x82"), block(14, b"\xf8\x88\x80\x80\x80"),
            block(14, b"0123456789abcdef\x80")):
        emit_bad_binary(s, data)
    emit_bad_binary(lists, block(9, b"abcde"))
    emit_bad_binary(lists, block(1, b"abcde"))
    emit_bad_binary(lists, block(3, b"\x80"))
    emit_bad_binary(lists, block(14, b"ok") + block(14, b"\xfe"))
    emit_bad_binary(maps, block(1, block(1, b"\xff")))
    emit_bad_binary(maps, block(1, block(2, b"\xff")))
    emit_bad_binary(n, block(2, block(2, block(1, b"abc"))[:-1]))
    deep = b""
    for _ in range(101):
        deep = block(2, deep)
    emit_bad_binary(n, deep)


# JSON

def known_types():
    timestamp, duration = timestamp_pb2.Timestamp, duration_pb2.Duration
    for seconds, nanos in ((0, 0), (-1, 0), (-1, 999999999), (1760000000, 120000000),
                           (253402300799, 999999999), (-62135596800, 0), (951782400, 1000),
                           (4107542400, 1), (68169600, 10)):
        emit_message(timestamp(seconds=seconds, nanos=nanos))
    for seconds, nanos in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -500000000), (3, 1000),
                           (315576000000, 999999999), (-315576000000, -999999999), (1, 10000000)):
        emit_message(duration(seconds=seconds, nanos=nanos))
    emit_message(field_mask_pb2.FieldMask(paths=["a", "foo_bar.baz_qux", "x1"]))
    emit_message(field_mask_pb2.FieldMask())
    emit_message(empty_pb2.Empty())
    for wrapper, values in (
            (wrappers_pb2.DoubleValue, (0.0, -1.5, float("nan"), float("inf"))),
            (wrappers_pb2.FloatValue, (0.0, 3.5)), (wrappers_pb2.Int64Value, (0, -2**63)),
            (wrappers_pb2.UInt64Value, (0, 2**64 - 1)), (wrappers_pb2.Int32Value, (0, -7)),
            (wrappers_pb2.UInt32Value, (0, 7)), (wrappers_pb2.BoolValue, (False, True)),
            (wrappers_pb2.StringValue, ("", "text")), (wrappers_pb2.BytesValue, (b"", b"\xfb\xff"))):
        for value in values:
            emit_message(wrapper(value=value))
    document = struct_pb2.Struct()
    json_format.Parse('{"nested": {"list": [1, "two", true, null, [], {}]}}', document)
    emit_message(document)
    for value in ("null", "1.5", '"text"', "true", "[]", "{}", '[null, {"a": 1}]'):
        made = struct_pb2.Value()
        json_format.Parse(value, made)
        emit_message(made)
    for packed in (timestamp(seconds=1), duration(seconds=2), wrappers_pb2.Int32Value(value=3),
                   TYPES["codec.test.v1.Node"](name="packed"), document):
        made = any_pb2.Any()
        made.Pack(packed)
        emit_message(made)
        outer = any_pb2.Any()
        outer.Pack(made)
        emit_message(outer)
    emit_message(any_pb2.Any())


def unusual_json():
    s, o, lists, maps, c, n = (f"codec.test.v1.{x}" for x in (
        "Scalars", "Optionals", "Lists", "Maps", "Choices", "Node"))
    for value in ("1e3", "-1E+2", "100.0", "1.5e1", '"7"', '"-7"', "120e-1", "0e99", "-0",
                  '"1e2"', "2147483647", "-2147483648"):
        emit_json(s, f'{{"int32Value": {value}}}')
    for value in ('"9223372036854775807"', "-9223372036854775808", "9223372036854775807", "1e18"):
        emit_json(s, f'{{"int64Value": {value}}}')
    emit_json(s, '{"uint64Value": 18446744073709551615}')
    for value in ('"NaN"', '"Infinity"', '"-Infinity"', "1", '"1.25"', "-0.0", "1e-400",
                  "1.7976931348623157e308", "5e-324"):
        emit_json(s, f'{{"doubleValue": {value}}}')
    for value in ('"NaN"', "3.4028234e38", "1e-45", '"-Infinity"'):
        emit_json(s, f'{{"floatValue": {value}}}')
    for value in ("1", "2", "-5", "99", '"COLOR_GREEN"', "0"):
        emit_json(s, f'{{"colorValue": {value}}}')
    for value in ("", "Zg==", "Zg", "Zm8", "Zm8=", "-_8", "+/8=", "-_8="):
        emit_json(s, f'{{"bytesValue": "{value}"}}')
    for value in (r"\u00e4", r"\ud83d\udd12", r"\"\\\/\b\f\n\r\t", "ä", r"\u0000"):
        emit_json(s, f'{{"stringValue": "{value}"}}')
    emit_json(s, '{"int32_value": 1, "stringValue": "both spellings"}')
    emit_json(s, '{"int32Value": null, "stringValue": null, "colorValue": null}')
    emit_json(s, ' { } ')
    emit_json(o, '{"int32Value": 0, "stringValue": "", "boolValue": false, "colorValue": 0}')
    emit_json(o, '{"int32Value": null}')
    emit_json(lists, '{"int32Values": null, "stringValues": [], "colorValues": ["COLOR_RED", 2]}')
    emit_json(maps, '{"boolInt32": {"true": 1}, "int64Double": {"-5": "Infinity"}}')
    emit_json(maps, '{"stringNode": {"": {"name": "x"}}, "stringString": null}')
    emit_json(c, '{"stringValue": null, "int32Value": 0}')
    emit_json(n, '{"@custom": 5}')
    emit_json(n, '{"custom_json": 5}')
    emit_json("google.protobuf.Timestamp", '"2000-02-29T23:59:59+01:30"')
    emit_json("google.protobuf.Timestamp", '"1999-12-31T00:00:00.1Z"')
    emit_json("google.protobuf.Duration", '"-0.5s"')
    emit_json("google.protobuf.Duration", '"3.000000001s"')
    emit_json("google.protobuf.FieldMask", '"fooBar.bazQux,a"')
    emit_json("google.protobuf.Value", '{"a": [1, {"b": null}]}')
    emit_json("google.protobuf.Any", '{"value": "1.5s", "@type": "x/google.protobuf.Duration"}')


def bad_json():
    s, lists, maps, c, n = (f"codec.test.v1.{x}" for x in (
        "Scalars", "Lists", "Maps", "Choices", "Node"))
    for data in ("", "{", "}", "[", '{"', "nul", "{} {}", '{"stringValue": "a}', "{'stringValue': ''}",
                 '{"stringValue" "a"}', '{"stringValue": "a",}', '{"int32Value": 01}',
                 '{"int32Value": .5}', '{"int32Value": 1.}', '{"int32Value": +1}',
                 '{"int32Value": 0x1}', '{stringValue: "a"}', '{"stringValue": "\\x"}',
                 '{"stringValue": "\\u12"}', '{"doubleValue": Inf}', '"text"', "1"):
        emit_bad_json(s, data)
    for value in ("2147483648", "-2147483649", "1.5", "1e10", '"a"', '" 1"', '""', "true", "[]", "{}"):
        emit_bad_json(s, f'{{"int32Value": {value}}}')
    for field, value in (
            ("uint32Value", "-1"), ("uint32Value", "4294967296"), ("uint64Value", "-1"),
            ("uint64Value", "18446744073709551616"), ("int64Value", "9223372036854775808"),
            ("floatValue", "1e39"), ("doubleValue", "1e309"),
            ("boolValue", "1"), ("boolValue", '"true"'), ("stringValue", "1"), ("stringValue", "true"),
            ("bytesValue", "1"), ("colorValue", '"RED"'), ("nothing", "1")):
        emit_bad_json(s, f'{{"{field}": {value}}}')
    for value in ("1", "{}", '"a"', "[null]", '["a"]', "[[1]]"):
        emit_bad_json(lists, f'{{"int32Values": {value}}}')
    for data in ('{"boolInt32": {"yes": 1}}', '{"int64Double": {"a": 1}}', '{"stringString": []}',
                 '{"stringString": {"a": null}}', '{"stringString": {"a": 1}}'):
        emit_bad_json(maps, data)
    emit_bad_json(c, '{"stringValue": "a", "int32Value": 1}')
    emit_bad_json(s, '{"int32Value": 1, "int32Value": 2}')
    emit_bad_json(n, '{"child": 1}')
    for name, values in (
            ("Timestamp", ("2000-13-01T00:00:00Z", "2001-02-29T00:00:00Z", "2000-01-01T00:00:00",
                           "0000-01-01T00:00:00Z", "2000-01-01T00:00:00.1234567890Z",
                           "2000-01-01t00:00:00Z", "10000-01-01T00:00:00Z",
                           "2000-01-01T24:00:00Z", "2000-01-01T00:60:00Z", "")),
            ("Duration", ("1", "s", "1.5", "315576000001s", "1s ", "x", "1ss"))):
        for value in values:
            emit_bad_json(f"google.protobuf.{name}", f'"{value}"')
    emit_bad_json("google.protobuf.Any", '{"a": 1}')
    emit_bad_json("google.protobuf.Any", '{"@type": "type.googleapis.com/unknown.Type"}')


random_messages()
known_types()
unusual_binary()
bad_binary()
unusual_json()
bad_json()
(HERE / "vectors.txt").write_text("\n".join(LINES) + "\n")
print(f"{len(LINES)} vectors")
