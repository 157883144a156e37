#!/usr/bin/env bash
# Brings librdkafka, the peer that C++ programs use today, onto this machine below $PEERS_DIR: the newest source that a package
# registry carries (a Node package has the whole tree; another one the example programs), built with -O2, and our small benchmark of
# it; and what shows the bounds of the machine, sendfile_bound.cc and copy_bound.cc (run by hand: docs/performance.md). Apache
# Kafka comes from tests/interop/setup.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peer=${PEERS_DIR:-$HOME/.cache/barnabas-peers}/bench-1
library=@confluentinc/kafka-javascript@1.10.1
examples=node-rdkafka@3.6.1

unpack() { # PACKAGE FOLDER-IN-IT
  npm pack --silent "$1" >/dev/null
  tar xzf ./*.tgz "package/deps/librdkafka/$2"
  rm ./*.tgz
}

build_library() {
  rm -rf "$peer" && mkdir -p "$peer" && cd "$peer"
  unpack "$library" ""
  local source=$peer/package/deps/librdkafka
  [ -e "$source/examples/rdkafka_performance.c" ] || unpack "$examples" examples
  cd "$source"
  find . -path ./mklove/\* -type f -exec chmod +x {} + -o -name '*.sh' -exec chmod +x {} +
  chmod +x configure lds-gen.py
  ./configure --prefix="$peer" --enable-static --disable-gssapi --disable-curl --disable-lz4-ext --CFLAGS=-O2 --CXXFLAGS=-O2
  make -j"$(nproc)" libs
  make -C examples rdkafka_performance
  make install
  mkdir -p "$peer/bin" && cp examples/rdkafka_performance "$peer/bin/"
}

mkdir -p "$(dirname "$peer")"
g++ -O2 -Wall -Wextra -I"$here/../.." "$here/sendfile_bound.cc" -o "$(dirname "$peer")/sendfile_bound"
g++ -O2 -Wall -Wextra -I"$here/../.." "$here/copy_bound.cc" -o "$(dirname "$peer")/copy_bound" -lisal
command -v npm >/dev/null || { echo "setup: librdkafka is left out: there is no npm" >&2; exit 1; }
if [ ! -e "$peer/library.done" ]; then
  echo "setup: librdkafka" >&2
  (build_library) >"$peer.log" 2>&1 || { tail -20 "$peer.log" >&2; exit 1; }
  touch "$peer/library.done"
fi
if ! cmp -s "$here/rdkafka_bench.c" "$peer/rdkafka_bench.c"; then
  gcc -O2 -Wall -Wextra -isystem "$peer/include" "$here/rdkafka_bench.c" -o "$peer/bin/rdkafka_bench" -L"$peer/lib" -Wl,-rpath,"$peer/lib" -lrdkafka -pthread
  cp "$here/rdkafka_bench.c" "$peer/rdkafka_bench.c"
fi
