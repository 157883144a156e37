#!/usr/bin/env python3
"""Measures producers, consumers and brokers beside their peers, in one run: CPU seconds, as ratios.

bench.py --binaries DIR [--scale S] [--repeat N] [--sections A,B] [--only WORDS] [--json FILE] [--write-docs]

Every figure is the median of N runs that take turns with the peers' runs, so that a noisy minute hits all alike. --scale 1 is the
full size (10 million x 100 B, 2 million x 1000 B); the default is a tenth of it. Peers come from tests/bench/setup.sh and
tests/interop/setup.sh. --write-docs writes docs/benchmarks.md and the table in README.md; --from reads the figures of an earlier
--json instead of measuring.
"""
import argparse
import dataclasses
import json
import subprocess
import sys

import contestants
import group_costs
import latency
import measure
import report
import scaling
import subjects
import throughput

SECTIONS = ("start", "produce", "consume", "latency", "scaling", "groups")


def take(section, rows, found):
    """Adds rows as they come, so that what ends a section in the middle costs only its rest."""
    try:
        rows.extend(found)
    except (SystemExit, OSError, ValueError, subprocess.SubprocessError) as why:
        print(f"bench: {section} ended early: {why}", file=sys.stderr)


def measure_all(options, sections):
    everyone = contestants.all_here(options.binaries)
    figures = read(options.update) if options.update else report.Figures([], [], [], {}, [], [])
    forget(figures, sections)
    if "start" in sections:
        figures.start = subjects.start_up(options.binaries, 2 * options.repeat + 1)
    works = [work for work in throughput.works(options.scale) if all(word in str(work) for word in options.only.split(";"))]
    if sections & {"produce", "consume", "latency"}:
        with subjects.Both(options.binaries) as both:
            for subject in both:
                rounds = subject.warm_up(works[0].count if works else 100_000)
                figures.warm_up = rounds if subject.kind == "kafka" else figures.warm_up
            patient = options.scale >= 1
            if "produce" in sections:
                take("produce", figures.rows, throughput.produce(both, works, everyone, options.repeat, patient))
            if "consume" in sections:
                chosen = [work for work in works if work.acks == "1"]
                take("consume", figures.rows, throughput.consume(both, chosen, everyone, options.repeat, patient))
            if "latency" in sections:
                take("latency", figures.latency, latency.measure_all(both, everyone, options.repeat))
    if "scaling" in sections:
        with subjects.Both(options.binaries, ("barnabas",)) as ours:
            take("scaling", figures.scaling, scaling.measure_all(ours[0], everyone, options.repeat, options.scale))
    if "groups" in sections:
        with subjects.Both(options.binaries) as both:
            take("groups", figures.groups, group_costs.measure_all(both, options.binaries, options.repeat, options.scale))
    return figures


def forget(figures, sections):
    """What is measured anew is not taken from an earlier run."""
    figures.rows[:] = [row for row in figures.rows if row.what not in sections]
    for name in sections & {"latency", "scaling", "groups"}:
        getattr(figures, name).clear()


def read(path):
    with open(path, encoding="utf-8") as file:
        saved = json.load(file)
    rows = [throughput.Row(**{**row, "cost": measure.Cost(**row["cost"])}) for row in saved["rows"]]
    return report.Figures(rows, [latency.LatencyRow(**row) for row in saved["latency"]],
                          [scaling.ScaleRow(**row) for row in saved["scaling"]], saved["start"], saved["warm_up"],
                          [group_costs.GroupRow(**row) for row in saved.get("groups", [])])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="of " + ", ".join(SECTIONS))
    parser.add_argument("--only", default="", help="works of produce and consume that hold all these words: 'lz4;acks=1;x 100 B'")
    parser.add_argument("--json")
    parser.add_argument("--from", dest="saved")
    parser.add_argument("--update", metavar="FILE", help="an earlier --json: what the sections do not measure is taken from it")
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    unknown = set(options.sections.split(",")) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    figures = read(options.saved) if options.saved else measure_all(options, set(options.sections.split(",")))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(figures), file, indent=1)
    print(report.text(figures))
    if options.write_docs:
        report.write_page(figures, options)


if __name__ == "__main__":
    main()
