namespace QemuGuestAgent.Core.Guests.Posix;

/// <summary>How a file that is whole takes its place in a POSIX guest's shell: what stands there keeps what it has.</summary>
internal static class PlaceScripts
{
    /// <summary>
    /// Functions: check, take and put_back. They want those of <see cref="GuestFileScripts.Functions"/>, and these variables: safety,
    /// which is 'safe' where others can change nothing on the way, and move, the option by which mv takes no folder for its target.
    /// </summary>
    public const string Functions = """
        # Ends where a part may not take a place ($1): what is no file is never replaced, a link is not, and a file is only if asked to
        # ($2 is y); else it tells whose that file is, and when it was changed.
        check() {
          [ ! -d "$1" ] || exit 21
          [ ! -e "$1" ] || [ -f "$1" ] || exit 20
          [ -e "$1" ] || [ -L "$1" ] || return 0
          [ "$2" = y ] || { stat -c '%u %Y %U' -- "$1" 2>/dev/null; exit 17; }
          [ ! -L "$1" ] || exit 23
        }
        # Ends with a reason.
        refuse() {
          printf '%s\n' "$1" >&2
          exit 1
        }
        # Gives a part ($1) the place of a file ($2): paths from here, with a slash. A file that stands there is replaced only if asked to
        # ($3 is y), and keeps owner, group, mode, ACL, extended attributes and label; what cannot carry them over is written in place.
        # A new file gets a mode ($4, empty for its own) and the label of its place. Tells what was done: new, or bare without the mode; kept, or written.
        take() {
          part=$1 target=$2 id=${1##*.}
          check "$target" "$3"
          if [ ! -e "$target" ]; then
            did=new
            [ -z "$4" ] || chmod "$4" -- "$part" || did=bare
            mv -n $move -- "$part" "$target"
            if [ -e "$part" ]; then
              check "$target" "$3"
              [ ! -e "$target" ] || exit 23
              exit 1
            fi
            label "$target"
            printf $did
            return
          fi

          # By another name, here, it stays what has been looked at, wherever others move it. What has only one place (one that is mounted
          # there, or on a file system without such names) goes by that, where nobody can move it.
          here=${part%/*} old=${part%/*}/old.$id names=+2
          rm -f -- "$old"
          if ! ln -- "$target" "$old" 2>/dev/null; then
            [ "$safety" = safe ] || refuse 'other users can exchange it, and it cannot be kept from that. Remove it first.'
            old=$target names=+1
          fi
          [ -f "$old" ] && [ ! -L "$old" ] || exit 23
          [ ! -k "${target%/*}" ] || [ -O "$old" ] || [ -z "$(find "${target%/*}" -prune -perm -2)" ] ||
            refuse 'it belongs to another user, in a folder where everybody can create files. Remove it first.'
          did=kept
          if [ -n "$(find "$old" -prune -links $names)" ]; then
            [ "$safety" = safe ] || refuse 'it has other names (hard links), and other users can exchange it. Remove it first.'
            write
          else
            carry && mv -f $move -- "$part" "$target" 2>/dev/null || write
          fi
          rm -f -- "$here/old.$id" "$here/saved.$id" "$part"
          printf $did
        }
        # Gives the part what the old file has. One whose owner was refused has another one.
        carry() {
          context=
          ! selinuxenabled 2>/dev/null || context=,context
          cp --attributes-only --preserve=mode,ownership,xattr$context -- "$old" "$part" 2>/dev/null &&
            [ "$(stat -c %u:%g:%a -- "$old")" = "$(stat -c %u:%g:%a -- "$part")" ]
        }
        # Writes the part to the old file, of which a copy is saved until that is done. One that is there is of an attempt that was
        # broken off.
        write() {
          did=written
          reason=$( (: 1<>"$old") 2>&1) || case $reason in
            *busy*) refuse 'it is a program that runs, and cannot be written in place. Stop it, or rename it first.' ;;
            *) refuse "nothing can be renamed to it, and it cannot be written in place: ${reason##*: }." ;;
          esac
          saved=$here/saved.$id
          if [ ! -f "$saved" ]; then
            cp -p -- "$old" "$here/new.$id" && mv -f -- "$here/new.$id" "$saved" || exit
          fi
          cat -- "$part" >"$old" && touch -m -r "$part" -- "$old" || { put_back; exit 1; }
          [ "$old" -ef "$target" ] || exit 23
        }
        # Puts the saved copy back; where that fails, it is kept under a name that nothing else has.
        put_back() {
          if cat -- "$saved" >"$old"; then
            touch -m -r "$saved" -- "$old"
            rm -f -- "$saved"
          else
            cd -- "${saved%/*}" && saved=${saved##*/} && mv -f -- "$saved" "${saved%.*}" &&
              refuse "what was in it is in $PWD/${saved%.*} now."
          fi
        }

        """;
}
