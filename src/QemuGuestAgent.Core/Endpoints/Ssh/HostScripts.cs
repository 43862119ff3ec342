using System.Text;
using QemuGuestAgent.Core.Endpoints.Libvirt;

namespace QemuGuestAgent.Core.Endpoints.Ssh;

/// <summary>A script that runs on a host.</summary>
/// <param name="Stream">Its input and output after its first line.</param>
/// <param name="Word">The random word.</param>
/// <param name="Said">What its first line says after the word.</param>
internal readonly record struct HostScript(ProcessStream Stream, string Word, string[] Said);

/// <summary>
/// What runs on a host that ssh reaches: POSIX sh and what every host has. A script is one word in single quotes for whatever shell
/// the user has there (sh, fish and csh agree on such words): it has no single quote, no exclamation mark, no line feed, and no
/// backslash before another one. Each begins with a line of its own, which a random word introduces: what
/// stands before is of the user's profile.
/// </summary>
internal static class HostScripts
{
    /// <summary>The first word after the random one, where all is well.</summary>
    public const string Up = "up";

    // Of the reports of Relay.
    public const string Absent = "absent";
    public const string Closed = "closed";
    public const string NoSocket = "nosocket";
    public const string Denied = "denied";
    public const string NoRelay = "norelay";

    // Both end at the end of their input, so that nothing stays connected where ssh has gone.
    private const string Python =
        "import os,socket,sys,threading|s=socket.socket(socket.AF_UNIX)|s.connect(sys.argv[1])|def f():| while 1:|  d=os.read(0,65536)|"
        + "  if len(d)==0: os._exit(0)|  s.sendall(d)|threading.Thread(target=f,daemon=True).start()|while 1:| d=s.recv(65536)|"
        + " if len(d)==0: os._exit(0)| while len(d)>0: d=d[os.write(1,d):]";

    private const string Perl =
        @"use Socket;socket(S,AF_UNIX,SOCK_STREAM,0)&&connect(S,sockaddr_un(\$ARGV[0]))or die\$^E;"
        + @"sub f{my(\$r,\$w)=@_;while(sysread(\$r,\$d,65536)){for(\$o=0;\$o<length \$d;){\$o+=syswrite(\$w,\$d,65536,\$o)||last}}}"
        + @"if(\$p=fork){f(\*STDIN,\*S);kill 9,\$p}else{f(\*S,\*STDOUT);kill 9,getppid}";

    private const string Greeting = @"g(){ printf ""\n%s %s\n"" ""$0"" ""$1"";};";

    private const string ReadPath = @"p=$(printf %b. ""$1"");p=${p%.};";

    // A version manager has a python3 that starts none.
    /// <summary>Connects its input and output with the socket $1, in the words of socat $2. It reports why it cannot, or what it uses.</summary>
    public const string Relay = Greeting + ReadPath
        + @"s=$(printf %b. ""$2"");s=${s%.};e(){ g ""$1"";exit 3;};"
        // The folder that cannot be entered, if there is one, is more than what is not seen behind it.
        + @"[ -e ""$p"" ]||[ -L ""$p"" ]||{ d=${p%/*};until [ -d ""${d:-/}"" ];do d=${d%/*};done;[ -x ""${d:-/}"" ]||e ""closed ${d:-/}"";e absent;};"
        + @"[ -S ""$p"" ]||e nosocket;[ -w ""$p"" ]||e ""denied $(id -un) $(ls -ld ""$p"")"";"
        + @"if command -v socat >/dev/null;then g ""up socat"";exec socat - ""UNIX-CONNECT:$s"";fi;"
        + @"if command -v nc >/dev/null;then h=$(nc -h 2>&1 </dev/null);case $h in *-U*)o=;case $h in *-N*)o=-N;;esac;"
        + @"g ""up nc"";exec nc $o -U ""$p"";;esac;fi;"
        + @"if python3 -c """" 2>/dev/null;then g ""up python3"";exec python3 -c ""exec(\""" + Python + @"\"".replace(\""|\"",chr(10)))"" ""$p"";fi;"
        + @"if perl -e """" 2>/dev/null;then g ""up perl"";exec perl -e """ + Perl + @""" ""$p"";fi;e norelay";

    /// <summary>virsh with the arguments that follow, its errors in the order of its output.</summary>
    public static readonly string Virsh = Greeting + "command -v virsh >/dev/null||{ g noprogram;exit 3;};g up;exec env "
        + string.Join(" ", VirshLibvirt.Variables.Select(variable => $"{variable.Key}={variable.Value}")) + @" virsh ""$@"" 2>&1";

    /// <summary>Answers questions about files of the host, one a line, each answer followed by a line with the random word.</summary>
    /// <remarks>
    /// r: the text of a file. l: the names in a folder, each with a NUL. k: the target of a link. p: the path without links. These are
    /// in base64; '-' is what is not there. s: kind and permissions, owner, names. q: the numbers of processes that may be QEMU.
    /// d: the XML of the running domains of the libvirt at a URI.
    /// </remarks>
    public const string Answer = Greeting
        + @"g ""up $(id -u)"";while read -r o a;do p=$(printf %b. ""$a"");p=${p%.};case $o in "
        + @"r)if [ -f ""$p"" ]&&[ -r ""$p"" ];then head -c 4194304 ""$p"" 2>/dev/null|base64;else echo -;fi;;"
        + @"l)if [ -d ""$p"" ]&&[ -r ""$p"" ];then (cd ""$p"" 2>/dev/null&&for f in * .*;do printf ""%s\0"" ""$f"";done)|base64;else echo -;fi;;"
        + @"k)if [ -L ""$p"" ];then readlink -n ""$p"" 2>/dev/null|base64;else echo -;fi;;"
        + @"p)readlink -f -n ""$p"" 2>/dev/null|base64;;"
        + @"s)stat -c ""%f %u %h"" ""$p"" 2>/dev/null||echo -;;"
        + @"q)grep -lsa -e qemu -e kvm /proc/[0-9]*/cmdline;;"
        + @"d)if command -v virsh >/dev/null;then case $p in *session)r=;;*)r=-r;;esac;c=;"
        + @"for u in $(virsh $r -q -c ""$p"" list --uuid);do c=""$c dumpxml $u;"";done;"
        + @"[ -z ""$c"" ]||virsh $r -q -c ""$p"" ""$c""|base64;else echo -;fi;;"
        + @"esac;printf ""%s\n"" ""$0"";done";

    /// <summary>The command line for ssh, of a script, the random word and arguments.</summary>
    /// <exception cref="FormatException">An argument has characters that a shell may take for its own.</exception>
    public static string CommandLine(string script, string word, IEnumerable<string> arguments, bool usesSudo) =>
        $"exec {(usesSudo ? "sudo -n " : "")}/bin/sh -c '{script}' {word}{string.Concat(arguments.Select(argument => $" '{Checked(argument)}'"))}";

    /// <summary>A path in plain characters for all shells, as <c>printf %b</c> reads it.</summary>
    public static string Encode(string path) => string.Concat(Encoding.UTF8.GetBytes(path).Select(b => Encode(b, "")));

    /// <summary>The same for a path in an address of socat, where a backslash stands before what may have a meaning.</summary>
    public static string EncodeForSocat(string path) => string.Concat(Encoding.UTF8.GetBytes(path).Select(b => Encode(b, @"\0134")));

    private static string Checked(string argument) =>
        argument.All(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') || @"/.-_:\?=&%+@,~[]".Contains(c))
            ? argument
            : throw new FormatException($"'{argument}' has characters that have a meaning for a shell");

    private static string Encode(byte value, string before) =>
        (char)value is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '/' or '.' or '-' or '_' ? $"{(char)value}"
        : $"{before}\\0{Convert.ToString(value, 8).PadLeft(3, '0')}";
}
