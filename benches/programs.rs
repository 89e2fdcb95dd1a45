//! What runs in the sessions: small shell scripts that say through a pipe of
//! their own, past the terminal, when they began and when they are done.

/// Obeys lines that are typed, or that come from a pipe, `VERB TOKEN FILES…`;
/// after each it shows `~TOKEN~` and says `NAME done TOKEN`. No output of ours
/// has a tilde otherwise.
pub(crate) const OBEDIENT: &str = r#"name=$1 place=$2
line='the quick brown fox jumps over the lazy dog and runs away from it'
stty -echo
trap : INT
exec 4<>"$place/said"
[ -n "$3" ] && exec <>"$3"
echo "$name born $$" >&4
while read -r verb token files; do
    case $verb in
    show) cat $files ;;
    torrent) yes "$line" ;;
    flood) yes "$line" & read -r verb token files; kill $!; wait ;;
    echo) stty raw -echo; printf '~%s~' "$token"; exec cat ;;
    esac
    printf '~%s~\n' "$token"
    echo "$name done $token" >&4
done
"#;

/// Shows a file, if there is one, and sleeps.
pub(crate) const SLEEPER: &str = r#"name=$1 place=$2
[ -n "$3" ] && cat "$3"
echo "$name born $$" >"$place/said"
exec sleep 100000
"#;

/// Shows a file, then a mark in the last row, and sleeps.
pub(crate) const PAINTER: &str = r#"name=$1 place=$2
cat "$3"
printf '\033[%s;1H~settled~' "$4"
echo "$name born $$" >"$place/said"
exec sleep 100000
"#;
