/// What `--help` shows.
enum Usage {
  static let program = """
    Usage: omnid serve [flags]     serve until SIGTERM or SIGINT
           omnid rekey [flags]     change the master key, also while omnid serves
           omnid config check [flags of serve]
                                   say everything that is wrong with a configuration
           omnid backup --to FILE [--recipient KEY] [flags of serve]
                                   copy the store into one encrypted file, also while omnid serves.
                                   The master key opens it, unless age keys are given (age1...; the
                                   flag may be repeated, --recipients-file FILE has one a line) or
                                   --passphrase-file FILE: then it holds the master key
           omnid restore --from FILE [--identity FILE] [flags of serve]
                                   bring the store of a backup back where there is none. A backup
                                   for age keys opens by a file of identities, another one by the
                                   master key or by --passphrase-file FILE; - is standard input
           omnid notify-test [--target NAME] [flags of serve]
                                   send a test event to the targets of --notify-file, or to one
           omnid version           print the version

    Rotates the root CAs of Talos Linux clusters without downtime. Use omnictl, or any gRPC client, to
    talk to it. 'omnid serve --help' tells of the flags.

    """

  static let serve = """
    Usage: omnid serve [flags]

      --listen URI            where to serve; may be given more than once. unix:PATH,
                              unix-abstract:NAME, or tls:HOST:PORT for callers from elsewhere
                              (default unix:$XDG_RUNTIME_DIR/omnid/omnid.sock,
                              for root unix:/run/omnid/omnid.sock, in a systemd unit with
                              RuntimeDirectory= unix:$RUNTIME_DIRECTORY/omnid.sock)
      --state-dir DIR         embedded store and keys (default $XDG_STATE_HOME/omnid,
                              for root /var/lib/omnid, with StateDirectory= $STATE_DIRECTORY)
      --store URI             sqlite:PATH (default sqlite:<state-dir>/omnid.db)
      --master-key-file FILE  32 bytes that encrypt the stored CA keys (default the systemd credential
                              omnid-master-key, else <state-dir>/master.key, made on first start)
      --socket-mode MODE      the permission bits of Unix sockets, in octal (default 0600, with
                              --socket-group 0660)
      --socket-group GROUP    the group that Unix sockets belong to, by name or number; its members
                              are operators. Root and the user that omnid runs as are admins
      --tls-name NAME         what clients call this server: a DNS name or an address, for the
                              certificate that omnid makes itself; may be given more than once
      --tls-cert FILE, --tls-key FILE
                              the server's certificate chain and private key for tls: listeners,
                              PEM (default: one of omnid's own CA). Read again when they change,
                              and on SIGHUP
      --tls-client-ca FILE    the CAs whose client certificates are let in, PEM (default: omnid's
                              own CA, see 'omnictl access'). Read again likewise
      --config FILE           a YAML file with the same keys: state-dir: /srv/omnid
      --log-format FORMAT     text or json (default text)
      --log-level LEVEL       debug, info, warning or error (default info)
      --max-connections N     connections at once (default 10000)
      --max-connections-per-listener N, --max-connections-per-source N
                              of these, those of one --listen, and those from one address: an IPv4
                              address or the /64 of an IPv6 one (default: all, 1000)
      --reserved-connections N
                              of these, those that are kept for each --listen, so that one cannot
                              use up what another needs; together at most half (default 100)
      --max-handshakes N      connections of one --listen that do not speak HTTP/2 yet; one address
                              may have a quarter (default 1000)
      --max-streams N         calls at once on one connection (default 1024)
      --max-message-size SIZE the largest request message: bytes, KiB or MiB (default 4MiB)
      --max-idle TIME         how long a connection without calls is kept: 90s, 5m, 2h; 0 for ever
                              (default 0)
      --max-age TIME          after which a connection is drained, its calls being finished
                              (default 0: none)
      --max-age-grace TIME    how long its calls may then go on (default 0: for ever)
      --max-header-size SIZE  the largest header block of a request (default 16KiB)
      --max-request-memory SIZE, --max-response-memory SIZE
                              what requests that wait to be worked on, and responses that wait to
                              be taken, hold at most; one connection an eighth of it
                              (default 256MiB, 512MiB)
      --handshake-timeout TIME
                              for TLS and HTTP/2's preface, and for a header block (default 10s)
      --keepalive-interval TIME, --keepalive-timeout TIME
                              how long a client may be silent before it is asked for a sign of
                              life, and then take for it (default 2h, 20s)
      --min-ping-interval TIME
                              clients that ping more often without a call under way are sent
                              away (default 5m); with one they may ping every 10 s
      --event-loops N         threads that serve (default 0: one for each processor)
      --backup-to DIR         where backups go that are made while omnid serves (default: none are)
      --backup-every TIME, --backup-keep N
                              how often, and how many of them are kept (default 24h, 7)
      --backup-passphrase-file FILE
                              its first line opens them, and they hold the master key too (default:
                              the master key opens them, and has to be kept apart)
      --backup-recipient KEY, --backup-recipients-file FILE
                              age keys (age1...) that they are encrypted to, and they hold the master
                              key too: their identities open them, and nothing on this host does. The
                              flag may be repeated; the file has one a line. At most 16
      --trust-bundle-dir DIR  where files are kept that say which CAs have to be trusted:
                              DIR/CLUSTER/talos-ca.pem, kubernetes-ca.pem, bundle.json. Those of a
                              rotation are there before it begins (default: none are)
      --notify-file FILE      who is told of rotations, of CAs that expire and of drift: a YAML file of
                              targets, which get signed CloudEvents over HTTPS (default: nobody is).
                              Read again on SIGHUP; 'omnid notify-test' tries the targets
      --before-stage-dir DIR  programs that are asked before each stage of a rotation, in the order of
                              their names, and hold it until they end with 0 (default: none are)
      --hook-timeout TIME     how long each of them may take (default 60s)
      --help                  show this

    Each flag is also an environment variable: --state-dir is OMNID_STATE_DIR; OMNID_LISTEN takes
    several URIs with commas between. A flag goes before the environment, that before the file.

    A Unix socket that systemd hands over (LISTEN_FDS) takes the place of the --listen with its path.

    On SIGHUP the configuration is read again: --log-level, --hook-timeout, the files of tls:
    listeners and --notify-file hold from then on, and the log says what needs a restart. 'omnid
    config check' says beforehand what is wrong.

    Exit status: 0 after SIGTERM or SIGINT; 1 when serving failed; 2 for wrong usage.

    """
}

/// Wrong usage; the message says what is wrong in one line.
struct UsageError: Error, Equatable {
  var message: String

  init(_ message: String) { self.message = message }
}
