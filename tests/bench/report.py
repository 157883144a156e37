"""The figures for people: a line while they come in, a table at the end, docs/benchmarks.md."""
import os
import platform
import subprocess

import contestants

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def line(row):
    cost = row.cost
    return (f"{row.broker:<9}{row.what:<8} {row.work:<36} {row.who:<20} client {cost.client:7.3f} s  broker {cost.broker:6.2f} s  "
            f"wall {cost.seconds:6.2f} s  {row.count / max(cost.seconds, 1e-9) / 1e3:8.0f} krec/s  {cost.peak_mb:6.0f} MB")


def ratio(figure, ours):
    return f"{figure / ours:.2f}" if ours > 0 else "-"


def tables(rows):
    """(broker, what, work) -> its rows, ours first."""
    grouped = {}
    for row in rows:
        grouped.setdefault((row.broker, row.what, row.work), []).append(row)
    return grouped


def table(rows):
    ours = next((row.cost for row in rows if row.who == "barnabas"), rows[0].cost)
    yield "| client | client CPU s | x ours | ns per record | broker CPU s | x ours | records/s | peak MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        cost = row.cost
        if cost.client == 0:
            yield f"| {row.who} | | | | {cost.broker:.2f} | {ratio(cost.broker, ours.broker)} | | |"
            continue
        yield (f"| {row.who} | {cost.client:.2f} | {ratio(cost.client, ours.client)} | {cost.client / row.count * 1e9:.0f} | "
               f"{cost.broker:.2f} | {ratio(cost.broker, ours.broker)} | {row.count / cost.seconds:,.0f} | {cost.peak_mb:.0f} |")


def text(rows):
    parts = []
    for (broker, what, work), group in tables(rows).items():
        parts += [f"### {what} {work}, broker: {broker}", "", *table(group), ""]
    return "\n".join(parts)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((row.split(":", 1)[1].strip() for row in file if row.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}"


def write_page(rows, options):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    settings = "\n".join(f"- {who.name}: {who.__doc__ or ''} settings of its own: "
                         f"{who.own_settings or 'none'}; as consumer {who.consumer_settings or 'none'}"
                         for who in contestants.all_here(options.binaries))
    page = f"""# Benchmarks

Written by `./dev bench --write-docs` at commit {commit}, {options.repeat} interleaved runs each, {options.scale:g} of the full size, on
{machine()}, shared with others: read the ratios, not the seconds.

## Method

- A figure is the median run of those that follow one to warm up; the clients take turns. CPU is the user and system time of the
  whole process, from its start to its end (Java's includes the start of its machine), and the broker's in the same time.
- All have {contestants.PARTITIONS} partitions, {', '.join(f'`{k}={v}`' for k, v in contestants.COMMON.items())}, the same codec and acks; acks=all is
  idempotent. Each looks at every delivery report. Values are made before the first is sent.
- A produce run has a topic of its own. All consumers of a table read the same records; Java's tool reads in a group, so it reads from Apache
  Kafka only. "bare sendfile" is a process that does nothing but send as many bytes of a cached file.
{settings}

{text(rows)}"""
    with open(os.path.join(ROOT, "docs", "benchmarks.md"), "w", encoding="utf-8") as file:
        file.write(page)
