"""The figures for people: a line while they come in, tables at the end, docs/benchmarks.md and the summary in README.md."""
import dataclasses
import os
import platform
import re
import subprocess

import contestants
import goals
import group_costs
import latency
import scaling
import subjects

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


@dataclasses.dataclass
class Figures:
    """All that a run has measured; an empty part was not asked for."""
    rows: list
    latency: list
    scaling: list
    start: dict
    warm_up: list  # CPU seconds of Apache Kafka, round by round
    groups: list


def line(row):
    cost = row.cost
    return (f"{row.broker:<9}{row.what:<8} {row.work:<36} {row.who:<20} client {cost.client:7.3f} s  broker {cost.broker:6.3f} s  "
            f"wall {cost.seconds:6.2f} s  {row.count / max(cost.seconds, 1e-9) / 1e3:8.0f} krec/s  {cost.peak_mb:6.0f} MB")


def ratio(figure, ours):
    return f"{figure / ours:.2f}" if ours > 0 else "-"


def tables(rows):
    """(broker, what, work) -> its rows, ours first."""
    grouped = {}
    for row in rows:
        grouped.setdefault((row.broker, row.what, row.work), []).append(row)
    return grouped


def client_table(rows):
    ours = next((row.cost for row in rows if row.who == "barnabas"), rows[0].cost)
    yield "| client | client CPU s | x ours | ns per record | broker CPU s | x ours | records/s | peak MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        cost = row.cost
        if cost.client == 0:
            yield f"| {row.who} | | | | {cost.broker:.3f} | {ratio(cost.broker, ours.broker)} | | |"
            continue
        yield (f"| {row.who} | {cost.client:.3f} | {ratio(cost.client, ours.client)} | {cost.client / row.count * 1e9:.0f} | "
               f"{cost.broker:.3f} | {ratio(cost.broker, ours.broker)} | {row.count / cost.seconds:,.0f} | {cost.peak_mb:.0f} |")


def broker_tables(rows):
    for what in ("produce", "consume"):
        compared = goals.broker_ratios(rows, what)
        bare = {work: cost for work, _, cost in goals.sendfile_ratios(rows)} if what == "consume" else {}
        if not compared and not bare:
            continue
        yield from (f"### {what}, our client", "")
        yield "| work | our broker, CPU s | Apache Kafka, CPU s | ours / Kafka's |" + (" bare sendfile | ours / bare |" if bare else "")
        yield "|---|---|---|---|" + ("---|---|" if bare else "")
        kafka = {work: cost for work, _, cost in compared}
        for work, group in goals.by_work(rows, "barnabas", what).items():
            if "barnabas" not in group:
                continue
            ours = group["barnabas"].cost.broker
            cells = [work, f"{ours:.3f}", f"{kafka[work]:.3f}" if work in kafka else "",
                     ratio(ours, kafka[work]) if work in kafka else ""]
            cells += [f"{bare[work]:.3f}", ratio(ours, bare[work])] if work in bare else []
            yield "| " + " | ".join(cells) + " |"
        yield ""


def latency_table(rows):
    yield "| records/s | broker | client | p50 ms | p99 ms | p99.9 ms | kept up |"
    yield "|---|---|---|---|---|---|---|"
    for row in sorted(rows, key=lambda row: (row.rate or 10**9, row.broker, row.who)):
        rate = f"{row.rate:,}" if row.rate else "one at a time"
        digits = 2 if row.rate else 0
        shares = [f"{share:.{digits}f}" for share in (row.p50, row.p99, row.p999)]
        if row.fell_behind:
            shares = ["fell behind", "", ""]
        yield f"| {rate} | {row.broker} | {row.who} | {' | '.join(shares)} | {row.held} of {row.runs} |"


def scaling_tables(rows):
    for over in ("partitions", "clients"):
        those = [row for row in rows if row.over == over]
        for what in ("produce", "consume") if those else ():
            yield from (f"### {what} over {over}", "")
            yield f"| {over} | records | client | client ns per record | of the first | broker ns per record | of the first | start: client ms | broker ms |"
            yield "|---|---|---|---|---|---|---|---|---|"
            for who in dict.fromkeys(row.who for row in those):
                steps = sorted((row for row in those if (row.who, row.what) == (who, what)), key=lambda row: row.size)
                for row in steps:
                    yield (f"| {row.size:,} | {row.count:,} | {who} | {row.client:.0f} | {ratio(row.client, steps[0].client)} | {row.broker:.0f} | "
                           f"{ratio(row.broker, steps[0].broker)} | {row.start_client * 1e3:.0f} | {row.start_broker * 1e3:.0f} |")
            yield ""


def group_tables(rows):
    for what, (heading, each) in {"heartbeats": ("Heartbeats", "heartbeat"), "join": ("Joining", "member"),
                                  "commits": ("Commits", "commit"), "load": ("Loading `__consumer_offsets` at a start", "offset")}.items():
        those = [row for row in rows if row.what == what]
        if not those:
            continue
        yield from (f"### {heading}", "")
        latency_heading, latency_rule = (" p99 ms |", "---|") if what == "commits" else ("", "")
        yield f"| work | broker | {each}s | seconds | a second | broker CPU s | of a core | CPU µs each |{latency_heading}"
        yield f"|---|---|---|---|---|---|---|---|{latency_rule}"
        for row in those:
            yield (f"| {row.work} | {row.broker} | {row.count:,} | {row.seconds:.3f} | {row.count / max(row.seconds, 1e-9):,.0f} | "
                   f"{row.broker_cpu:.3f} | {row.broker_cpu / max(row.seconds, 1e-9):.1%} | {row.broker_cpu / row.count * 1e6:.1f} |"
                   + (f" {row.p99_ms:.1f} |" if latency_heading else ""))
        yield ""


def summary_table(figures):
    yield "| goal | to reach | this run | reached |"
    yield "|---|---|---|---|"
    for goal in goals.all_goals(figures):
        yield f"| {goal.name} | {goal.goal} | {goal.reached} | {'yes' if goal.met else '**no**'} |"


def sections(figures):
    """(heading, lines) of all that was measured."""
    if figures.rows:
        yield "Brokers", [*broker_tables(figures.rows)]
    if figures.latency:
        yield "End-to-end latency", [*latency_table(figures.latency), ""]
    if figures.scaling:
        yield "Scaling", [*scaling_tables(figures.scaling)]
    if figures.groups:
        yield "Consumer groups", [*group_tables(figures.groups)]
    if figures.rows:
        lines = []
        for (broker, what, work), group in tables(figures.rows).items():
            lines += [f"### {what} {work}, broker: {broker}", "", *client_table(group), ""]
        yield "Clients", lines


def text(figures):
    parts = ["## Goals", "", *summary_table(figures), ""]
    for heading, lines in sections(figures):
        parts += [f"## {heading}", "", *lines]
    return "\n".join(parts).rstrip() + "\n"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((row.split(":", 1)[1].strip() for row in file if row.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / 1024 ** 2
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GB, Linux {platform.release()}"


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        return (done.stdout + done.stderr).splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def versions():
    header = f"{contestants.PEER}/include/librdkafka/rdkafka.h"
    library = "not here"
    if os.path.exists(header):
        with open(header, encoding="utf-8") as file:
            number = re.search(r"define RD_KAFKA_VERSION\s+0x(\w\w)(\w\w)(\w\w)", file.read())
        library = ".".join(str(int(part, 16)) for part in number.groups())
    kafka = [name for name in sorted(os.listdir(f"{contestants.brokers.PEERS}/kafka/libs")) if name.startswith("kafka-clients-")
             ] if contestants.Java().is_here() else []
    return f"librdkafka {library}; Apache Kafka {kafka[0][14:-4] if kafka else 'not here'} on {first_line(['java', '-version'])}"


def settings_of(everyone):
    for who in everyone:
        latency_of = [f"{rate:,}/s: {who.latency_settings(rate)}" for rate in latency.RATES] if who.latency else []
        yield (f"- **{who.name}**: {who.__doc__ or 'bench produce, consume and latency.'} Settings of its own: "
               f"{who.own_settings or 'none'}; as consumer: {who.consumer_settings or 'none'}"
               f"{'; for latency: ' + ', '.join(latency_of) if latency_of else ''}.")


def method(figures, options):
    warm = ""
    if figures.warm_up:
        warm = (f" It had {len(figures.warm_up)} rounds of writing and reading to warm up, until they became no cheaper: the first took "
                f"{figures.warm_up[0]:.2f} s of CPU, the cheapest {min(figures.warm_up):.2f} s.")
    return f"""## Method

- A figure is the median of {options.repeat} runs that follow one to warm up{'' if options.scale >= 1 else " (of Java's clients, in a run of less than full size: of 2)"}; clients and
  brokers take turns, so that a noisy minute hits all alike. CPU is the user and system time of the whole process, from its start to its end
  (Java's includes the start of its machine), and the broker's in the same time, all its threads, by the process's CPU clock.
- All have {contestants.PARTITIONS} partitions, {', '.join(f'`{k}={v}`' for k, v in contestants.COMMON.items())}, the same codec and acks; acks=all is
  idempotent. Each looks at every delivery report. Values are made before the first is sent. A produce run has a topic of its own. All
  consumers of a table read the same records; Java's tool reads in a group, so it reads from Apache Kafka only.
- Apache Kafka runs with its own script's options: `{' '.join(subjects.KAFKA_JVM)}`.{warm}
- "bare sendfile" is a process in C++ that does nothing but send as many bytes of a cached file over loopback, 1 MB a call; who reads
  them is another process and is not counted.
- Latency is from when a record was *due* until the application has it, so a sender that lags makes it worse: 100 B values at a steady
  rate for {latency.SECONDS} s, of which the first is left out, acks=1, one thread that sends what is due and one that reads, the same in both programs.
  A run has kept up that had read all within a twentieth of the time after the last was due. Java's tool sends one record at a time and knows
  whole milliseconds.
- Scaling: records of 100 B, acks=1, our broker. Over partitions, record by record to the next one, in batches of about 100 records whatever
  the number of partitions is (`{contestants.SCALING}`), and one consumer of all. Over clients, which share a thread: those that write
  share the records and {scaling.CLIENTS_PARTITIONS} partitions, and each of those that read has one of {scaling.CLIENTS_PARTITIONS} partitions of {scaling.READ_BY_EACH:,} records (a single one
  all of them). The cost of a run with one record per partition ({scaling.TURN} per client that writes) is taken off: it is the "start". A peer has threads of its own per client: it is asked for fewer.
- Consumer groups: `group_load` speaks the protocol by hand, each member over a connection of its own. Heartbeats: {group_costs.MEMBERS} members a group, shifted
  against each other; counted is the broker's CPU once all groups are settled. Commits: {group_costs.COMMITTERS} groups of one member, each with as many commits on
  their way as the row says. Joining: {group_costs.JOINING} whole consumers on one thread, from the first `subscribe` until each has its share of {group_costs.JOINED_PARTITIONS} partitions. Loading: the CPU
  of a broker's whole start, and the time from its first connection until all offsets are there.
"""


def write_page(figures, options):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    small = "" if options.scale >= 0.1 else "**A small run, to try the programs: the figures mean little.**\n\n"
    everyone = "\n".join(settings_of(contestants.all_here(options.binaries)))
    body = text(figures).replace("## Goals\n", "", 1).split("\n## ", 1)
    page = f"""# Benchmarks

Written by `./dev bench --write-docs` at commit {commit}: {options.scale:g} of the full size (10 million x 100 B, 2 million x 1000 B), on
{machine()}, a virtual machine: read the ratios, not the seconds. Peers: {versions()}.

{small}{body[0].strip()}

{method(figures, options)}
### Settings

{everyone}

{'## ' + body[1] if len(body) > 1 else ''}"""
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), "w", encoding="utf-8") as file:
        file.write(page.rstrip() + "\n")
    write_summary(figures, small)


def write_summary(figures, note):
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as file:
        readme = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(with_summary(readme, note + "\n".join(summary_table(figures))))


def with_summary(readme, table):
    before, rest = readme.split(BEGIN)
    return before + BEGIN + "\n" + table + "\n" + END + rest.split(END, 1)[1]
