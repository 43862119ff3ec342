namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>What a POSIX guest's shell does with files. Every path comes as an argument: none is ever part of a script.</summary>
internal static class GuestFileScripts
{
    /// <summary>Exit codes of the scripts.</summary>
    public const int Exists = 17, NotFile = 20, IsFolder = 21, Differs = 22, Replaced = 23, NoFolder = 24, NoProc = 25;

    /// <summary>Returns which tools there are.</summary>
    public const string Probe = """
        sha256sum </dev/null >/dev/null 2>&1 && printf 'sha256 '
        find / -maxdepth 0 -printf '' 2>/dev/null && printf 'printf '
        case $(mv --help 2>&1) in *-T*|*[a-z]T]*) printf 'mv-T ' ;; esac
        if [ -e /proc/self/fd ] && command -v tar >/dev/null && command -v gzip >/dev/null; then
          printf 'tar '
          case $(tar --version 2>/dev/null) in *GNU*) printf 'tar-gnu ' ;; esac
        fi
        gzip -c </dev/null >/dev/null 2>&1 && printf 'gzip '
        printf ok
        """;

    /// <summary>
    /// Functions of the scripts. What others can change on the way to a folder is looked at from within it: the shell stands in a
    /// folder, whatever happens to its name. What the agent opens by a path is compared with what it holds, which /proc shows.
    /// </summary>
    public const string Functions = """
        # Goes down from here ($1), through no link.
        down() {
          way=$1
          while [ -n "$way" ]; do
            exec 9<. && cd -P -- "./${way%%/*}" || exit 23
            [ .. -ef /proc/self/fd/9 ] || [ ! -e /proc/self/fd/9 ] || exit 23
            case $way in */*) way=${way#*/} ;; *) way= ;; esac
          done
        }
        # Goes to a folder ($1), and down from there ($2).
        enter() {
          [ -d "$1" ] || exit 24
          cd -P -- "$1" || exit
          down "$2"
        }
        # Tells whether others can change what is on the way to this folder. In a sticky one they cannot move what is not theirs.
        safety() {
          me=0
          [ -O / ] || me=$(id -u)
          at=$PWD
          set -- /
          while [ -n "${at%/}" ]; do set -- "$@" "$at"; at=${at%/*}; done
          others=$(find "$@" -prune \( ! -type d -o ! -user 0 ! -user "$me" -o \( -perm -20 -o -perm -2 \) ! -perm -1000 \) -print 2>&1)
          if [ -z "$others" ]; then printf safe; elif [ -e "/proc/$PPID/fd" ]; then printf open; else exit 25; fi
        }
        # Ends where this folder is not ours, or open to others.
        private() {
          [ -O . ] || exit 23
          case $(ls -ldn .) in drwx--[-S]---*) ;; *) exit 23 ;; esac
        }
        # Makes a folder ($1) that is closed to others, and goes there. Where it can be exchanged (mkdir -m may then change another one's
        # mode) or a default ACL opens it, it is closed from within, if it is as empty as a new one.
        make() {
          umask 077
          if [ "${safety-}" = safe ]; then
            mode=700
            [ ! -g . ] || mode=2700
            mkdir -m $mode -- "./$1" || exit
            down "$1"
          else
            mkdir -- "./$1" || exit
            down "$1"
            [ -O . ] && [ -z "$(ls -A)" ] && chmod go-rwx . || exit 23
          fi
        }
        # Finds where the agent holds a file ($1).
        held() {
          [ -e "/proc/$PPID/fd" ] || exit 25
          for fd in "/proc/$PPID/fd"/*; do
            [ -f "$fd" ] && [ "$fd" -ef "$1" ] && return
          done
          exit 23
        }
        # Ends where what the agent holds there has another path ($1).
        held_at() {
          path=$(readlink "$fd" && echo .)
          [ "${path%??}" = "$1" ] || exit 23
        }
        # Follows what may be a link ($1) in this folder to the folder of the file that it leads to, where no other user can have put it;
        # sets the file's name there. (In a sticky folder others can put links, though not move what is not theirs.)
        follow() {
          name=$1 links=0
          while [ -L "./$name" ]; do
            links=$((links + 1))
            [ $links -le 40 ] && [ "$(safety)" = safe ] || exit 23
            [ -z "$(find "./$name" -prune ! -user 0 ! -user "$(id -u)")" ] || exit 23
            path=$(readlink -- "./$name" && echo .) || exit
            path=${path%??}
            case $path in /*) ;; *) path=${PWD%/}/$path ;; esac
            enter "${path%/*}/" ''
            name=${path##*/}
          done
        }
        # Gives new files the label that SELinux has for their place.
        label() {
          ! selinuxenabled 2>/dev/null || restorecon -- "$@" >/dev/null 2>&1
          :
        }

        """;

    // $1 is how deep, $2 whether the rest are patterns, $3 whether a link that was named is followed (-H) or all are (-L), $4 how many bytes
    // are compressed, if any. With IFS empty a pattern is not split.
    private const string ListHead = """
        IFS= depth=$1 are_patterns=$2 links=$3 packs=$4
        shift 4
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

    private const string ListTail = """

        if [ -n "$packs" ]; then each "$@" | head -c "$packs" | gzip -c; else each "$@"; fi
        """;

    /// <summary>Lists items, with a find that prints them.</summary>
    public const string ListByPrinting = ListHead + """
        list() {
          [ -L "$1" ] && [ ! -e "$1" ] && { printf 'l 0 0 0 %s\0' "$1"; return; }
          find $links "$1" -maxdepth "$depth" -type l -printf 'l %s %T@ %m %p\0> %l\0' -o -printf '%y %s %T@ %m %p\0'
        }
        """ + ListTail;

    /// <summary>
    /// Lists items, with any find: one stat for each. What is gone by then is left out. Not every find sees that a link leads back to a
    /// folder that it is in.
    /// </summary>
    public const string ListByStat = ListHead + """
        list() {
          root=$1
          set --
          [ $links = -H ] || set -- -type d -exec sh -c '
            [ -L "$1" ] || exit 1
            at=$1
            while [ -n "$at" ]; do
              at=${at%/*}
              [ "$1" -ef "${at:-/}" ] && exit
            done
            exit 1' sh {} \; -prune -o
          find $links "$root" -maxdepth "$depth" "$@" -exec sh -c '
            links=$1
            shift
            for f; do
              follow=; [ "$f" = "$0" ] || [ $links = -L ] && [ -e "$f" ] && follow=-L
              if [ -z "$follow" ] && [ -L "$f" ]; then t=l; elif [ -d "$f" ]; then t=d; elif [ -f "$f" ]; then t=f; else t=o; fi
              told=$(stat $follow -c "%s %Y %a" "$f") && printf "%s %s %s\0" $t "$told" "$f" || continue
              [ $t != l ] || { to=$(readlink "$f" && echo .) && printf "> %s\0" "${to%??}"; }
            done' "$root" $links {} +
        }
        """ + ListTail;

    /// <summary>
    /// Ends where a file that the agent has opened is not the one below a root ($1), on a way ($2) through no link; with no way it is
    /// the root itself. Prints its length and the time of its last change, where find tells them ($4), then the SHA-256 of its first $3
    /// bytes, if $3 is given.
    /// </summary>
    public const string Held = Functions + """
        held "$1${2:+/$2}"
        if [ -n "$2" ]; then
          root=$(cd -P -- "$1" && pwd -P && echo .) || exit 23
          root=${root%??}
          held_at "${root%/}/$2"
        fi
        [ "$4" != y ] || find -L "$fd" -prune -printf %s,%C@
        printf ' '
        [ -n "$3" ] || exit 0
        sum=
        # Few builds of sha256sum use what the processor has for it; openssl does, but takes longer to start.
        [ "$3" -lt 4194304 ] || sum=$(head -c "$3" <"$fd" | openssl dgst -sha256 -r 2>/dev/null)
        case $sum in *' *stdin') ;; *) sum=$(head -c "$3" <"$fd" | sha256sum) ;; esac
        printf %s "$sum"
        """;

    /// <summary>
    /// Tells the SHA-256 of files below a folder ($1), on ways through no link; with an empty way it is that file itself. Each with a zero
    /// behind it, and nothing before where there is no such file.
    /// </summary>
    public const string Sums = Functions + """
        root=$1
        shift
        for way; do
          (
            file=$root name=${way##*/}
            if [ -n "$way" ]; then
              enter "$root" "${way%"$name"}"
              file=./$name
              [ ! -L "$file" ] || exit
            fi
            [ -f "$file" ] && sum=$(sha256sum <"$file") && printf %s "${sum%% *}"
          )
          printf '\0'
        done
        """;

    /// <summary>
    /// Finds a file ($1) to be written in place, or makes it for its owner alone. A link is followed where no other user can have put it.
    /// Tells whether others can change what is on the way to the file, whether it is new, and its path without links.
    /// </summary>
    public const string Prepare = Functions + """
        enter "${1%/*}/" ''
        follow "${1##*/}"
        safety=$(safety) || exit
        age=old
        if [ ! -e "./$name" ]; then
          umask 077
          set -C
          : >"./$name" || exit
          label "./$name"
          age=new
        fi
        printf '%s %s %s/%s' "$safety" $age "$PWD" "$name"
        """;

    /// <summary>
    /// Ends where a file that the agent has opened has not the path ($1) that it was found by, or, where it is new ($2), is not closed
    /// to others; empties it or not ($3).
    /// </summary>
    public const string Check = Functions + """
        held "$1"
        held_at "$1"
        if [ "$2" = new ]; then
          [ -O "$fd" ] || exit 23
          case $(ls -lnL "$fd") in -rw-------*) ;; *) exit 23 ;; esac
        fi
        [ "$3" != y ] || : >"$fd"
        """;

    /// <summary>
    /// Makes folders below one ($1), for their owner only until all is in them. Of those that were not there it tells by what they can
    /// be known again, and the way to them.
    /// </summary>
    public const string MakeFolders = Functions + """
        enter "$1" ''
        shift
        for folder; do
          (
            name=${folder##*/}
            down "${folder%"$name"}"
            if [ -d "./$name" ]; then
              [ ! -L "./$name" ] || exit 23
              exit 0
            fi
            make "$name"
            printf '%s\0%s\0' "$(ls -di .)" "$folder"
          ) || exit
        done
        """;

    /// <summary>
    /// Makes links below a folder ($1); one that is there is replaced only if asked to ($2 is y), and nothing else. $3 is the option by
    /// which ln takes no folder for the link's place; without it nobody else may have a hand in the way. Two arguments for each: the way
    /// there, and where it leads. For each that was not made it tells the exit code, the way, and why.
    /// </summary>
    public const string MakeLinks = Functions + """
        enter "$1" ''
        replaces=$2 option=$3
        shift 3
        while [ $# -ge 2 ]; do
          why=$(
            exec 2>&1
            name=${1##*/} force=
            down "${1%"$name"}"
            [ "$option" = -T ] || [ "$(safety)" = safe ] || exit 23
            if [ -L "./$name" ]; then
              there=$(readlink "./$name" && echo .)
              [ "${there%??}" != "$2" ] || exit 0
              [ "$replaces" = y ] || exit 17
              force=-f
            elif [ -e "./$name" ]; then
              [ "$replaces" = y ] || exit 17
              echo 'it is no link there. Remove it first.'
              exit 1
            fi
            ln -s $force $option -- "$2" "./$name" && label "./$name"
          )
          code=$?
          [ $code = 0 ] || printf '%s\0%s\0%s\0' $code "$1" "$why"
          shift 2
        done
        """;

    /// <summary>
    /// Gives folders that were made below one ($1) their modes and times: four arguments for each, the first two as it was told when it
    /// was made. Tells where that failed.
    /// </summary>
    public const string FinishFolders = Functions + """
        enter "$1" ''
        shift
        while [ $# -ge 4 ]; do
          (
            down "$2"
            private
            [ "$(ls -di .)" = "$1" ] || exit 23
            label .
            chmod "$3" . && { touch -m -d "@$4" . 2>/dev/null || touch -m -d "@${4%.*}" .; }
          ) || printf '%s\0' "$2"
          shift 4
        done
        """;
}
