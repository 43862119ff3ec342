namespace QemuGuestAgent.Core.Operations.Copying;

/// <summary>What a POSIX guest's shell does for a copy. Every path comes as an argument: none is ever part of a script.</summary>
internal static class GuestFileScripts
{
    /// <summary>Exit codes of the scripts.</summary>
    public const int Exists = 17, IsFolder = 21, Differs = 22;

    /// <summary>Tells which tools there are.</summary>
    public const string Probe = """
        sha256sum </dev/null >/dev/null 2>&1 && printf 'sha256 '
        find / -maxdepth 0 -printf '' 2>/dev/null && printf 'printf '
        printf ok
        """;

    // $1 is how deep, $2 whether the rest are patterns. With IFS empty a pattern is not split. -H follows a link that was named.
    private const string ListHead = """
        IFS= depth=$1 are_patterns=$2
        shift 2
        one() {
          [ -e "$1" ] || [ -L "$1" ] || return 0
          printf '\0'
          list "$1"
        }
        each() {
          for given; do
            if [ "$are_patterns" = y ]; then for root in $given; do one "$root"; done; else one "$given"; fi
          done
        }

        """;

    /// <summary>Lists items, with a find that prints them.</summary>
    public const string ListByPrinting = ListHead + """
        list() {
          [ -L "$1" ] && [ ! -e "$1" ] && { printf 'l 0 0 0 %s\0' "$1"; return; }
          find -H "$1" -maxdepth "$depth" -printf '%y %s %T@ %m %p\0'
        }
        each "$@"
        """;

    /// <summary>Lists items, with any find: one stat for each. What is gone by then is left out.</summary>
    public const string ListByStat = ListHead + """
        list() {
          find -H "$1" -maxdepth "$depth" -exec sh -c '
            for f; do
              follow=; [ "$f" = "$0" ] && [ -e "$f" ] && follow=-L
              if [ -z "$follow" ] && [ -L "$f" ]; then t=l; elif [ -d "$f" ]; then t=d; elif [ -f "$f" ]; then t=f; else t=o; fi
              told=$(stat $follow -c "%s %Y %a" "$f") && printf "%s %s %s\0" $t "$told" "$f"
            done' "$1" {} +
        }
        each "$@"
        """;

    /// <summary>Makes a file ($1), if it is not there, that only its owner can write to.</summary>
    public const string Create = """[ -e "$1" ] || { umask 022; set -C; : >"$1"; }""";

    /// <summary>
    /// Closes a new file ($1) to all but its owner, and gives it its name ($2): or removes it, where its target ($3) is a folder, or
    /// is there and not to be replaced ($4).
    /// </summary>
    public const string Seal = """
        fail() { rm -f -- "$1"; exit "$2"; }
        [ -d "$3" ] && fail "$1" 21
        [ "$4" = y ] || { [ ! -e "$3" ] && [ ! -L "$3" ]; } || fail "$1" 17
        chmod 600 -- "$1" && { [ "$1" = "$2" ] || mv -f -- "$1" "$2"; }
        """;

    /// <summary>
    /// Gives a whole file ($1) the place of its target ($2), which is replaced or not ($3), once its checksum ($4) is right; where
    /// there is none, that is not looked at. Before that it gets its mode ($5) and time ($6), and tells so.
    /// </summary>
    public const string Finish = """
        if [ -n "$4" ]; then
          sum=$(sha256sum <"$1") || exit
          [ "${sum%% *}" = "$4" ] || exit 22
        fi
        touch -m -d "@$6" -- "$1" 2>/dev/null || touch -m -d "@${6%.*}" -- "$1" && chmod "$5" -- "$1" && printf kept
        [ -d "$2" ] && exit 21
        if [ "$3" = y ]; then exec mv -f -- "$1" "$2"; fi
        mv -n -- "$1" "$2"
        if [ -e "$1" ]; then [ -e "$2" ] || [ -L "$2" ] || exit 1; exit 17; fi
        exit 0
        """;

    /// <summary>The SHA-256 of the first so many ($2) bytes of a file ($1).</summary>
    public const string Hash = """head -c "$2" <"$1" | sha256sum""";

    /// <summary>Removes files.</summary>
    public const string Remove = """rm -f -- "$@" """;

    /// <summary>
    /// Lists the files of ours in a folder ($1) whose names begin so ($2) and end so ($3): length, SHA-256 and path. Links and what
    /// belongs to others are not ours.
    /// </summary>
    public const string Partials = """
        for f in "$1$2"*"$3"; do
          [ -f "$f" ] && [ ! -L "$f" ] && [ -O "$f" ] || continue
          sum=$(sha256sum <"$f" 2>/dev/null)
          printf '%s %s %s\0' "$(wc -c <"$f")" "${sum%% *}" "$f"
        done
        """;

    /// <summary>Goes on with a partial file ($1) under a new name ($2), and removes the others.</summary>
    public const string Adopt = """
        mv -f -- "$1" "$2" && shift 2 && { [ $# -eq 0 ] || rm -f -- "$@"; }
        """;

    /// <summary>Makes folders, for their owner only until all is in them; tells which were not there.</summary>
    public const string MakeFolders = """
        umask 077
        for f; do
          [ -d "$f" ] || { mkdir -- "$f" && printf '%s\0' "$f"; } || exit
        done
        """;

    /// <summary>Gives folders their modes and times: three arguments for each.</summary>
    public const string FinishFolders = """
        while [ $# -ge 3 ]; do
          chmod "$2" -- "$1" && { touch -m -d "@$3" -- "$1" 2>/dev/null || touch -m -d "@${3%.*}" -- "$1"; }
          shift 3
        done
        """;
}
