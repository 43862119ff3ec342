namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// What a POSIX guest's shell does with a file that is on its way there: a part, in a private folder beside its target. Each script
/// gets the folder that was named ($1), the way down to the target ($2) and the private folder ($3).
/// </summary>
internal static class GuestPartScripts
{
    // $1 is the target; $2 whether it is replaced. What is no file never is.
    private const string Check = """
        check() {
          [ -d "$1" ] && exit 21
          [ -e "$1" ] && [ ! -f "$1" ] && exit 20
          [ "$2" = y ] || { [ ! -e "$1" ] && [ ! -L "$1" ]; } || exit 17
        }

        """;

    /// <summary>
    /// Makes an empty part ($4) in a new private folder, or gives a part that was left ($7) its new name, unless the target ($5) is not
    /// to be replaced ($6). Tells whether others can change what is on the way there, and the path without links.
    /// </summary>
    public const string Begin = GuestFileScripts.Functions + Check + """
        enter "$1" "$2"
        check "./$5" "$6"
        here=$PWD
        safety=$(safety) || exit
        if [ -n "$7" ]; then
          down "$3"
          private
          mv -f -- "./$7" "./$4" || exit
        else
          make "$3"
          set -C
          : >"./$4" || exit
        fi
        printf '%s %s' "$safety" "$here"
        """;

    /// <summary>Ends where what the agent has opened is not the part ($4).</summary>
    public const string Verify = GuestFileScripts.Functions + """
        enter "$1" "$2"
        down "$3"
        private
        held "./$4"
        """;

    /// <summary>Gives the part ($4) another name ($5).</summary>
    public const string Rename = GuestFileScripts.Functions + """
        enter "$1" "$2"
        down "$3"
        private
        mv -f -- "./$4" "./$5"
        """;

    /// <summary>
    /// Gives the whole part ($4) the place of its target ($5), which is replaced or not ($6), once its checksum ($7) is right; where
    /// there is none, that is not looked at. Before that it gets its mode ($8) and time ($9), and tells so. The last two arguments are
    /// whether others can change what is on the way, and the option by which mv takes no folder for the target.
    /// </summary>
    public const string Finish = GuestFileScripts.Functions + Check + """
        enter "$1" "$2"
        down "$3"
        [ "${10}" = safe ] || private
        part=./$4
        [ -f "$part" ] || exit 23
        if [ -n "$7" ]; then
          sum=$(sha256sum <"$part") || exit
          [ "${sum%% *}" = "$7" ] || exit 22
        fi
        touch -m -d "@$9" -- "$part" 2>/dev/null || touch -m -d "@${9%.*}" -- "$part" && chmod "$8" -- "$part" && printf kept
        check "../$5" "$6"
        if [ "$6" = y ]; then
          mv -f ${11} -- "$part" "../$5" || exit
        else
          mv -n ${11} -- "$part" "../$5"
          if [ -e "$part" ]; then [ -e "../$5" ] || [ -L "../$5" ] || exit 1; exit 17; fi
        fi
        cd .. && rmdir -- "$3"
        exit 0
        """;

    /// <summary>Removes the private folder, with parts whose names end so ($4).</summary>
    public const string Remove = GuestFileScripts.Functions + """
        enter "$1" "$2"
        down "$3"
        private
        rm -f -- ./*"$4"
        cd .. && rmdir -- "$3"
        """;

    /// <summary>
    /// Lists the private folders whose names begin so ($3) and end so ($4): length and SHA-256 of the part, and the path to it. Of those
    /// that are not ours, or open to others, nothing but the name.
    /// </summary>
    public const string Find = GuestFileScripts.Functions + """
        enter "$1" "$2"
        for folder in ./"$3"*"$4"; do
          folder=${folder#./}
          [ -e "./$folder" ] || [ -L "./$folder" ] || continue
          (
            down "$folder"
            private
            set -- *
            length=0 sum=
            [ -f "./$1" ] && sum=$(sha256sum <"./$1" 2>/dev/null) && length=$(wc -c <"./$1")
            printf '%s %s %s/%s\0' "$length" "${sum%% *}" "$folder" "$1"
          ) 2>/dev/null || printf '%s\0' "- - $folder"
        done
        """;
}
