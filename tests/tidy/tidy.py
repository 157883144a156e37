#!/usr/bin/env python3
"""The project's own rules, checked on its own source. Each check prints file:line and what to do, and fails on any finding.

  lines              at most 120 columns, no tab, no trailing blank, a newline at the end
  length             functions of at most 70 lines, files of at most 800
  include_direction  client and broker never see each other; common sees neither; arrows between rooms point down
  public_headers     installed headers include the standard library, Asio (only *_async.h and handler plumbing) and each other
  headers            every header compiles alone
  names              snake_case files, #pragma once, nothing generated or built is committed
  seams              clock, files, sockets, threads and randomness only behind common/runtime and common/net
  unfinished         no TODO, FIXME, XXX, commented-out code or disabled test
  links              links between the pages of README.md and docs/ lead somewhere
  regions            the snippets in README.md and docs/ are what the examples say
  self_test          the checks above find what they should in small wrong samples
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

COLUMNS = 120
FUNCTION_LINES = 70
FILE_LINES = 800

# What a folder may include, besides itself. A test may include anything.
MAY_INCLUDE = {
    "common/bytes": [],
    "common/protocol": ["common/bytes"],
    "common/record": ["common/bytes", "common/protocol"],
    "common/runtime": ["common/bytes"],
    "common/net": ["common/bytes", "common/protocol", "common/runtime"],
    "client/include": ["common/bytes/errc.h"],  # installed in its place
    "client/core": ["common", "client/include", "client/core"],
    "client/producer": ["common", "client/include", "client/core"],
    "client/consumer": ["common", "client/include", "client/core"],
    "client/parallel": ["common", "client/include", "client/core"],
    "client/admin": ["common", "client/include", "client/core"],
    "client/cli": ["common", "client/include"],
    "broker/config": ["common"],
    "broker/log": ["common", "broker/config"],
    "broker/metadata": ["common", "broker/config", "broker/log"],
    "broker/metrics": ["common"],
    "broker/partition": ["common", "broker/config", "broker/log", "broker/metadata"],
    "broker/coordinator": ["common", "broker/log", "broker/metadata", "broker/partition"],
    "broker/group": ["common", "broker/config", "broker/log", "broker/metadata", "broker/partition", "broker/coordinator"],
    "broker/server": ["common", "broker/config", "broker/log", "broker/metadata", "broker/metrics", "broker/partition"],
    "broker/api": ["common", "broker/config", "broker/log", "broker/metadata", "broker/metrics", "broker/partition",
                   "broker/coordinator", "broker/group", "broker/server"],
    "broker/embedded": ["common", "broker"],
    "broker": ["common", "broker"],
}

# Where each thing that must go through a seam may stand instead.
PLATFORM = re.compile(r"^common/(runtime|net)/platform/")
SEAMS = [
    (r"#\s*include <(sys/|linux/|unistd\.h|fcntl\.h|netinet/|arpa/|poll\.h|signal\.h|csignal)", "a system header", PLATFORM),
    (r"\b(steady_clock|system_clock|high_resolution_clock)::now\b", "the clock", re.compile(r"^common/runtime/")),
    (r"\bstd::(jthread|thread)\b(?!::id)", "a thread", re.compile(r"^common/runtime/")),
    (r"\bstd::condition_variable", "a condition variable", re.compile(r"^common/runtime/")),
    (r"\b(sleep_for|sleep_until)\s*\(", "a blocking sleep",
     re.compile(r"^(common/runtime/)")),
    (r"\bstd::(random_device|mt19937)", "randomness", re.compile(r"^common/runtime/")),
    (r"\bstd::(fstream|ifstream|ofstream|filesystem)\b", "a file", re.compile(r"^(common/runtime/|common/protocol/generator/)")),
    (r"\basio::(steady_timer|system_timer|high_resolution_timer)\b", "a timer", re.compile(r"^common/runtime/")),
    (r"\basio::ip::tcp::(socket|acceptor|resolver)\b", "a socket", re.compile(r"^common/net/")),
]
# A coroutine awaits env.sleep_until: that is the seam itself.
AWAITED_SLEEP = re.compile(r"co_await .*sleep_(for|until)|sleep_(for|until)\(.*\)\s*(const\s*)?(override|;|\{)|[.>]sleep_(for|until)\(|= .*sleep_(for|until)")


class Tree:
    """The committed and new files of a checkout, and the text of each."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True)
        self.files = sorted(f for f in set(listed.stdout.split("\n")) if f and os.path.isfile(os.path.join(root, f)))

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def sources(self, *under):
        return [f for f in self.files if f.endswith((".h", ".cc")) and (not under or f.startswith(under))]


def without_comments_and_strings(text):
    """The same text with comments and literals blanked, so that line numbers and columns stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text, flags=re.S)


def check_lines(tree, _):
    for path in tree.files:
        if not path.endswith((".h", ".cc", ".py", ".sh", ".cmake", "CMakeLists.txt", "dev")):
            continue
        text = tree.text(path)
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > COLUMNS and path.endswith((".h", ".cc")) and "http" not in line:
                yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS}"
            if "\t" in line and path.endswith((".h", ".cc", ".py")):
                yield f"{path}:{number}: a tab"
            if line != line.rstrip():
                yield f"{path}:{number}: blanks at the end"
        if text.strip() and not text.endswith("\n"):
            yield f"{path}: no newline at the end"


def functions(text):
    """(first line, name, lines) of each function body: a brace that follows ')' and no type keyword."""
    code = without_comments_and_strings(text)
    code = re.sub(r"^[ \t]*#.*?(?<!\\)$", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M | re.S)
    stack, start = [], 0
    for match in re.finditer(r"[{};]", code):
        if match.group() == "{":
            head = code[start:match.start()].strip()
            opens = bool(re.search(r"\)\s*(const|noexcept|override|final|mutable|->[^;{}]*|:[^:].*|\s)*$", head, re.S))
            is_function = opens and not re.match(r"(namespace|class|struct|enum|union)\b", head)
            is_function = is_function and not re.match(r"(if|for|while|switch|catch|else|do|try)\b", head)
            inside = any(entry[0] for entry in stack)
            stack.append((is_function and not inside, match.start(), head))
        elif match.group() == "}" and stack:
            is_function, begin, head = stack.pop()
            if is_function:
                name = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
                yield code.count("\n", 0, begin) + 1, name.group(1) if name else "?", code.count("\n", begin, match.end()) + 1
        start = match.end()


def check_length(tree, _):
    for path in tree.sources():
        text = tree.text(path)
        lines = text.count("\n")
        if lines > FILE_LINES:
            yield f"{path}: {lines} lines, at most {FILE_LINES}: give one of its concepts a file"
        for line, name, length in functions(text):
            if length > FUNCTION_LINES:
                yield f"{path}:{line}: {name} has {length} lines, at most {FUNCTION_LINES}"


def room_of(path):
    rooms = [room for room in MAY_INCLUDE if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def check_include_direction(tree, _):
    for path in tree.sources("common/", "client/", "broker/"):
        room = room_of(path)
        if room is None:
            yield f"{path}: stands in no room of tests/tidy/tidy.py"
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.match(r'#\s*include "((?:common|client|broker|tests)/[^"]+)"', line)
            if not match:
                continue
            target = match.group(1)
            allowed = [room] + MAY_INCLUDE[room]
            if not any(target == a or target.startswith(a + "/") for a in allowed):
                yield f"{path}:{number}: {room} must not include {target}"


def check_public_headers(tree, _):
    for path in [f for f in tree.sources() if "/include/barnabas/" in f]:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.match(r"#\s*include\s+(\S+)", line)
            if not match:
                continue
            name = match.group(1).strip('<>"')
            own = name.startswith("barnabas/") or (path.endswith("/errc.h") and name == "common/bytes/errc.h")
            standard = re.fullmatch(r"[a-z_0-9]+", name)
            asio = name.startswith("asio/") or name == "asio.hpp"
            json = name.startswith("nlohmann/") and path.endswith("json_serializer.h")
            if asio and not path.endswith("_async.h"):
                yield f"{path}:{number}: Asio belongs into a *_async.h header"
            elif not (own or standard or asio or json):
                yield f"{path}:{number}: {name} is neither the standard library, Asio nor ours"


def compile_alone(job):
    compiler, include, header, folder = job
    source = re.sub(r"\W", "_", header) + ".cc"
    shown = header.split("/include/")[1] if "/include/" in header else header
    with open(os.path.join(folder, source), "w", encoding="utf-8") as file:
        file.write(f'#include "{shown}"\n')
    launcher = [shutil.which("ccache")] if shutil.which("ccache") else []
    defines = ["ASIO_SEPARATE_COMPILATION", "ASIO_NO_DEPRECATED", "ASIO_DISABLE_STD_ALIGNED_ALLOC", 'BARNABAS_SOURCE_DIR=""',
               'BARNABAS_BINARY_DIR=""']
    command = launcher + [compiler, "-std=c++20", "-O0", "-Wall", "-Wextra", *("-D" + define for define in defines), *include,
                          "-c", source, "-o", source + ".o"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return None if done.returncode == 0 else f"{header}: does not compile alone\n{done.stderr[:1500]}"


def check_headers(tree, options):
    include = ["-I", tree.root, "-I", os.path.join(options.build, "generated"), "-isystem", "/usr/include/isa-l"]
    include += [flag for f in ("client/include", "broker/embedded/include") for flag in ("-I", os.path.join(tree.root, f))]
    headers = [f for f in tree.sources("common/", "client/", "broker/", "tests/") if f.endswith(".h")]
    folder = os.path.join(options.build, "headers_alone")  # the same each time, or ccache would know none of them again
    os.makedirs(folder, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [(options.compiler, include, header, folder) for header in headers]
        yield from (finding for finding in pool.map(compile_alone, jobs) if finding)


def check_names(tree, _):
    for path in tree.files:
        name = os.path.basename(path)
        if path.endswith((".h", ".cc")):
            if not re.fullmatch(r"[a-z0-9_]+\.(h|cc)", name):
                yield f"{path}: file names are snake_case"
            if path.endswith(".h") and "#pragma once" not in tree.text(path):
                yield f"{path}: #pragma once is missing"
        if path.startswith("build/") or path.endswith((".o", ".a", ".pyc")):
            yield f"{path}: built files are not committed"


def check_seams(tree, _):
    for path in tree.sources("common/", "client/", "broker/"):
        code = without_comments_and_strings(tree.text(path))
        for number, line in enumerate(code.split("\n"), 1):
            for pattern, what, home in SEAMS:
                if re.search(pattern, line) and not home.match(path):
                    if what == "a blocking sleep" and AWAITED_SLEEP.search(line):
                        continue
                    yield f"{path}:{number}: {what} outside its seam: {line.strip()}"


def check_unfinished(tree, _):
    for path in tree.files:
        if not path.endswith((".h", ".cc", ".py", ".sh", ".md", ".txt", ".cmake", "dev")) or path.endswith("tidy.py"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                yield f"{path}:{number}: unfinished: {line.strip()}"
            if re.match(r"\s*//\s*(if \(.*\{|return .*;|\w+\(.*\);|\}|#include)\s*$", line):
                yield f"{path}:{number}: commented-out code: {line.strip()}"
            if re.search(r"TEST(_F|_P)?\(\s*DISABLED_|,\s*DISABLED_", line):
                yield f"{path}:{number}: a disabled test"


def anchors(text):
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def check_links(tree, _):
    for path in [f for f in tree.files if f.endswith(".md")]:
        text = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), tree.text(path), flags=re.S)
        for match in re.finditer(r"\]\(([^)\s]+)\)", text):
            link = match.group(1)
            if re.match(r"[a-z]+:", link):
                continue
            target, _, anchor = link.partition("#")
            file = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            line = text.count("\n", 0, match.start()) + 1
            if not os.path.exists(os.path.join(tree.root, file)):
                yield f"{path}:{line}: the link {link} leads nowhere"
            elif anchor and file.endswith(".md") and anchor not in anchors(tree.text(file)):
                yield f"{path}:{line}: {file} has no heading #{anchor}"


def region(text, name):
    match = re.search(rf"^[ \t]*// \[region:{name}\]\n(.*?)^[ \t]*// \[end\]", text, re.S | re.M)
    if not match:
        return None
    lines = match.group(1).rstrip("\n").split("\n")
    indent = min((len(l) - len(l.lstrip()) for l in lines if l.strip()), default=0)
    return "\n".join(l[indent:] for l in lines)


def check_regions(tree, _):
    found = 0
    for path in [f for f in tree.files if f.endswith(".md")]:
        for match in re.finditer(r"<!-- region (\S+):(\S+) -->\n```cpp\n(.*?)\n```", tree.text(path), re.S):
            found += 1
            source, name, shown = match.groups()
            real = region(tree.text(source), name) if source in tree.files else None
            if real is None:
                yield f"{path}: {source} has no region {name}"
            elif real != shown:
                yield f"{path}: the snippet differs from {source}:{name}, which says\n{real}"
    if found < 2:
        yield "README.md: quotes no region of an example"


def check_self_test(tree, options):
    """Each check must find its mistake in a tree that is wrong on purpose."""
    wrong = {
        "lines": ("common/bytes/a.h", "#pragma once\nint a;  \n"),
        "length": ("common/bytes/a.cc", "int f(int x) {\n" + "  ++x;\n" * 80 + "  return x;\n}\n"),
        "include_direction": ("common/bytes/a.h", '#pragma once\n#include "broker/log/segment.h"\n'),
        "public_headers": ("client/include/barnabas/a.h", "#pragma once\n#include <fmt/format.h>\n"),
        "names": ("common/bytes/CamelCase.h", "#pragma once\n"),
        "seams": ("broker/log/a.cc", "#include <unistd.h>\n"),
        "unfinished": ("broker/log/a.cc", "// TO" + "DO later\n"),
        "links": ("docs/a.md", "[x](nowhere.md)\n"),
        "regions": ("README.md", "no snippet\n"),
    }
    for check, (path, text) in wrong.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "init", "-q", folder], check=True)
            os.makedirs(os.path.dirname(os.path.join(folder, path)) or folder, exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
            if not list(CHECKS[check](Tree(folder), options)):
                yield f"tidy {check} does not find the mistake in {path}"


CHECKS = {name[len("check_"):]: function for name, function in globals().items() if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=sorted(CHECKS))
    parser.add_argument("--root", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--compiler", default="c++")
    options = parser.parse_args()
    findings = list(CHECKS[options.check](Tree(options.root), options))
    print("\n".join(findings) or f"tidy {options.check}: nothing found")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
