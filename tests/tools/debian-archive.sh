# Sourced: use_archive FOLDER SUITE... makes ${apt[@]} an apt-get of its own, which installs nothing: it knows these suites of the
# archive that this machine takes its packages from, their sources too.
use_archive() {
  local archive folder=$1 suite
  archive=$(awk '!/^#/ { for (i = 1; i <= NF; i++) if ($i ~ /^https?:.*\/debian\/?$/) { print $i; exit } }' \
    $(ls /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null))
  [ -n "$archive" ] || { echo "this machine's package sources name no Debian archive" >&2; return 1; }
  mkdir -p "$folder"/{lists/partial,cache/archives/partial}
  for suite in "${@:2}"; do
    printf '%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' deb "$archive" "$suite" deb-src "$archive" "$suite"
  done > "$folder/sources.list"
  apt=(apt-get -q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root)
  "${apt[@]}" update >&2
}
