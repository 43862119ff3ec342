namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>
/// What a POSIX guest's shell does with a file that is on its way there: a part, in a private folder beside its target. Each script
/// gets the folder that was named ($1), the way down to the target ($2) and the private folder ($3).
/// </summary>
internal static class GuestPartScripts
{
    /// <summary>
    /// Makes an empty part ($4) in a new private folder, or gives a part that was left ($7) its new name, unless the target ($5) is not
    /// to be replaced ($6). The target may be a link, if it has no way down. Tells whether others can change what is on the way there,
    /// the option 'link' where one was followed, and the path of the target without links.
    /// </summary>
    public const string Begin = GuestFileScripts.Functions + PlaceScripts.Functions + """
        enter "$1" "$2"
        name=$5 kind=file
        if [ -L "./$name" ] && [ "$6" = y ] && [ -z "$2" ]; then
          [ -e "./$name" ] || refuse 'it is a link that leads nowhere.'
          follow "$name"
          kind=link
        fi
        check "./$name" "$6"
        here=${PWD%/}
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
        printf '%s %s %s/%s' "$safety" $kind "$here" "$name"
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
    /// there is none, that is not looked at. A new file gets its mode ($8), each its time ($9), and it tells what was done. The last two
    /// arguments are whether others can change what is on the way, and the option by which mv takes no folder for the target.
    /// </summary>
    public const string Finish = GuestFileScripts.Functions + PlaceScripts.Functions + """
        safety=${10} move=${11}
        enter "$1" "$2"
        down "$3"
        [ "$safety" = safe ] || private
        part=./$4
        [ -f "$part" ] || exit 23
        if [ -n "$7" ]; then
          sum=$(sha256sum <"$part") || exit
          [ "${sum%% *}" = "$7" ] || exit 22
        fi
        touch -m -d "@$9" -- "$part" 2>/dev/null || touch -m -d "@${9%.*}" -- "$part" && time=timed || time=
        take "$part" "../$5" "$6" "$8"
        printf ' %s' $time
        cd .. && rmdir -- "$3"
        exit 0
        """;

    /// <summary>Undoes what was broken off while the target ($4) was written in place, by a copy whose name ends so ($5).</summary>
    public const string PutBack = GuestFileScripts.Functions + PlaceScripts.Functions + """
        enter "$1" "$2"
        down "$3"
        private
        saved=./saved$5 old=./old$5
        [ -f "$saved" ] || exit 0
        [ -f "$old" ] || old=../$4
        put_back
        """;

    /// <summary>
    /// Removes the private folder, with what has a name that ends so ($4); if it is not beside the target ($5), then beside what that
    /// is a link to.
    /// </summary>
    public const string Remove = GuestFileScripts.Functions + """
        enter "$1" "$2"
        [ -n "$2" ] || [ -d "./$3" ] || follow "$5"
        down "$3"
        private
        rm -f -- ./*"$4"
        cd .. && rmdir -- "$3"
        """;

    /// <summary>
    /// Lists the private folders of a target ($5), whose names begin so ($3) and end so ($4): length and SHA-256 of the part, and the path to it. Of those
    /// that are not ours, or open to others, nothing but the name.
    /// </summary>
    public const string Find = GuestFileScripts.Functions + """
        enter "$1" "$2"
        [ -n "$2" ] || follow "$5"
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
