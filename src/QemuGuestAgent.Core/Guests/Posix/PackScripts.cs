namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// What a POSIX guest's shell does with many small files at once, which come and go as tar archives. Each script gets the folder that
/// was named ($1). What it could not do stays undone and is told: such a file is then copied alone, with its own errors.
/// </summary>
internal static class PackScripts
{
    /// <summary>The folder of an archive's files, and the list of their checksums beside it.</summary>
    public const string Content = "x", Sums = "sums";

    // Goes to the folder that was named, by its descriptor: from there each way begins.
    private const string Start = """
        start() { cd -P /proc/self/fd/7 && down "$1"; }

        """;

    /// <summary>
    /// Takes a compressed archive from its input into a new private folder ($2), and gives its files their places. What is there is
    /// replaced only if asked to ($4 is y, $5 the option by which mv takes no folder for its target), and only where it keeps all that it
    /// has: else it is never touched, by means of a hard link. The rest of the arguments are ways to folders; what is in the archive's
    /// folder x/0 goes to the first, and so on. Tells which are left, with a zero behind each. First it removes private folders whose
    /// names begin so ($3, empty for none) and whose script has died with its guest.
    /// </summary>
    public const string Take = GuestFileScripts.Functions + PlaceScripts.Functions + Start + """
        enter "$1" ''
        exec 7<.
        private=$2 prefix=$3 replaces=$4 move=$5
        shift 5
        for old in ${prefix:+./"$prefix"*.partial}; do
          (
            [ -d "$old" ] || exit
            down "${old#./}"
            private
            set -- *.pid
            [ -e "./$1" ] && [ ! -e "/proc/${1%.pid}" ] && rm -rf ./x ./sums ./part.* ./old.* "./$1" && cd .. && rmdir -- "$old"
          ) 2>/dev/null
        done
        make "$private"
        : >"./$$.pid"
        exec 8<.
        finish() {
          rm -rf ./x ./sums ./part.* ./old.* "./$$.pid"
          cd .. && rmdir -- "$private"
          exit $1
        }
        gzip -dc 2>/dev/null | tar -xpof - 2>/dev/null && sha256sum -c sums >/dev/null 2>&1 || finish 22
        # Replaces a file of this folder ($2) by one of the archive ($1).
        replace() {
          [ "$replaces" = y ] && [ ! -L "$2" ] && [ -n "$(find "$2" -prune -type f -links 1)" ] || return
          part=/proc/self/fd/8/part.$at
          mv -f -- "$1" "$part" || return
          safety=$(safety) && (take "$part" "$2" y '') >/dev/null
        }
        # What would have to be written in place is left.
        write() { exit 1; }
        labels=
        ! selinuxenabled 2>/dev/null || labels=y
        at=0
        for way; do
          (
            start "$way" || exit
            from=/proc/self/fd/8/x/$at
            set -- "$from"/* "$from"/.[!.]* "$from"/..?*
            # The group of a new file is that of its folder only where the folder says so.
            group=
            if [ -g . ]; then group=$(stat -c %g .); elif [ -g /proc/self/fd/8 ]; then group=$(id -g); fi
            [ -z "$group" ] || chgrp -- "$group" "$@" 2>/dev/null
            ln -- "$@" . 2>/dev/null
            for file; do
              name=./${file##*/}
              if [ "$file" -ef "$name" ]; then
                [ -z "$labels" ] || set -- "$@" "$name"
              elif [ -e "$file" ]; then
                replace "$file" "$name" || printf '%s/%s\0' $at "${name#./}"
              fi
              shift
            done
            [ $# = 0 ] || label "$@"
          ) 2>/dev/null || printf '%s\0' $at
          at=$((at + 1))
        done
        finish 0
        """;

    /// <summary>Removes the private folder ($2) of an archive.</summary>
    public const string Remove = GuestFileScripts.Functions + """
        enter "$1" ''
        down "$2"
        private
        rm -rf ./x ./sums ./part.* ./old.* ./*.pid
        cd .. && rmdir -- "$2"
        """;

    /// <summary>
    /// Gives files as archives, one for each folder, one after the other. The arguments are ways to folders, each with a slash before it,
    /// and behind each the names of files. On the second stream it tells for each folder whether all went well (0), and then the SHA-256
    /// of all that it gave. $2 is whether tar opens no link that takes the place of a file; else nobody else may have a hand in the way.
    /// Files that the system makes when they are read show there by a file system without a size.
    /// </summary>
    public const string Give = GuestFileScripts.Functions + Start + """
        enter "$1" ''
        exec 7<.
        follows_no_link=$2
        shift 2
        give() (
          start "${way#/}" || exit
          [ "$(stat -f -c %b .)" -gt 0 ] || exit 1
          if [ "$follows_no_link" = y ]; then
            tar -cf - --format=gnu -b 8 -- "$@"
          else
            [ "$(safety)" = safe ] && tar -cf - -- "$@"
          fi
        )
        tell() {
          [ -z "$way" ] || { give "$@" 2>/dev/null; echo $? >&2; }
        }
        {
          {
            way=
            for given; do
              case $given in
                /*) tell "$@"; way=$given; set -- ;;
                *) set -- "$@" "$given" ;;
              esac
            done
            tell "$@"
          } | { tee /proc/self/fd/3 | sha256sum >&2; }
        } 3>&1
        """;
}
