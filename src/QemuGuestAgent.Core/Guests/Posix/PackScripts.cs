namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// What a POSIX guest's shell does with many small files at once, which come and go as tar archives. Each script gets the folder that
/// was named ($1). What it could not do stays undone and is told: such a file is then copied alone, with its own errors.
/// </summary>
internal static class PackScripts
{
    /// <summary>The exit code where the archive did not arrive whole.</summary>
    public const int Broken = 22;

    /// <summary>The folder of an archive's files, and the list of their checksums beside it.</summary>
    public const string Content = "x", Sums = "sums";

    // Goes to the folder that was named, by its descriptor: from there each way begins.
    private const string Start = """
        start() { cd -P /proc/self/fd/7 && down "$1"; }

        """;

    /// <summary>
    /// Takes a compressed archive from its input into a new private folder ($2), and gives its files their places, of which each is empty: a hard
    /// link never replaces anything. The rest of the arguments are ways to folders; what is in the archive's folder x/0 goes to the
    /// first, and so on. Tells which are left, with a zero behind each. First it removes private folders whose names begin so ($3, empty
    /// for none) and whose script has died with its guest.
    /// </summary>
    public const string Take = GuestFileScripts.Functions + Start + """
        enter "$1" ''
        exec 7<.
        private=$2 prefix=$3
        shift 3
        for old in ${prefix:+./"$prefix"*.partial}; do
          (
            down "${old#./}"
            private
            set -- *.pid
            [ -e "./$1" ] && [ ! -e "/proc/${1%.pid}" ] && rm -rf ./x ./sums "./$1" && cd .. && rmdir -- "$old"
          )
        done
        make "$private"
        : >"./$$.pid"
        exec 8<.
        finish() {
          rm -rf ./x ./sums "./$$.pid"
          cd .. && rmdir -- "$private"
          exit $1
        }
        gzip -dc 2>/dev/null | tar -xpof - 2>/dev/null && sha256sum -c sums >/dev/null 2>&1 || finish 22
        at=0
        for way; do
          (
            start "$way" || exit
            from=/proc/self/fd/8/x/$at
            set -- "$from"/* "$from"/.[!.]* "$from"/..?*
            ln -- "$@" . 2>/dev/null
            for file; do
              shift
              if [ "$file" -ef "./${file##*/}" ]; then
                set -- "$@" "./${file##*/}"
              elif [ -e "$file" ]; then
                printf '%s/%s\0' $at "${file##*/}"
              fi
            done
            label "$@"
          ) || printf '%s\0' $at
          at=$((at + 1))
        done
        finish 0
        """;

    /// <summary>Removes the private folder ($2) of an archive.</summary>
    public const string Remove = GuestFileScripts.Functions + """
        enter "$1" ''
        down "$2"
        private
        rm -rf ./x ./sums ./*.pid
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
