//! Completion scripts and manual pages, generated from the command line's own
//! description. Owns what completes the names of sessions, which clap knows
//! nothing of. Must not know which sessions there are: the scripts ask `sess ls`.

use std::any::TypeId;

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use sess_proto::SessionName;

use super::Cli;

/// The completion script for this shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut command = Cli::command();
    let places: Vec<_> = command.get_subcommands().filter_map(Place::of).collect();
    for place in &places {
        // Stands for the names in the zsh script, until they are put in its place.
        command = command.mut_subcommand(place.verb(), |mut verb| {
            // All of them, for what is changed goes to the end.
            for name in verb.get_positionals().map(|arg| arg.get_id().clone()).collect::<Vec<_>>() {
                verb = verb.mut_arg(&name, |arg| {
                    let is_name = name.as_str() == place.argument;
                    if is_name { arg.value_hint(ValueHint::Username) } else { arg }
                });
            }
            verb
        });
    }
    command = command
        .mut_subcommand("new", |verb| verb.mut_arg("name", |arg| arg.value_hint(ValueHint::Other)));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "sess", &mut script);
    let script = String::from_utf8(script).expect("scripts are made of text");
    match shell {
        Shell::Bash => bash(&script, &places),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(script, &places),
        Shell::Elvish => in_cases(script, &places, |verb| format!("&'sess;{verb}'= {{\n"), ELVISH),
        Shell::PowerShell => {
            in_cases(script, &places, |verb| format!("'sess;{verb}' {{\n"), POWERSHELL)
        }
        _ => script,
    }
}

/// The manual pages: their files' names and their text.
pub(crate) fn man_pages() -> Vec<(String, Vec<u8>)> {
    let mut command = Cli::command();
    command.build();
    let source = format!("sess {}", env!("CARGO_PKG_VERSION"));
    std::iter::once(&command)
        .chain(command.get_subcommands())
        .map(|command| {
            let man = Man::new(command.clone()).source(source.as_str());
            let mut page = Vec::new();
            man.render(&mut page).expect("a Vec takes every byte");
            let page = String::from_utf8(page).expect("pages are made of text");
            let usage = command.clone().render_usage().to_string();
            let page = with_synopsis(&with_examples(&page), &usage);
            (man.get_filename(), page.into_bytes())
        })
        .collect()
}

/// Gives the usage that the help has, instead of a list of all options without their values.
fn with_synopsis(page: &str, usage: &str) -> String {
    const BEGIN: &str = ".SH SYNOPSIS\n";
    let usage = usage.trim_start_matches("Usage:").trim().replace('\\', "\\e").replace('-', "\\-");
    match page.split_once(BEGIN) {
        Some((before, after)) => {
            let end = after.find("\n.SH").map_or(after.len(), |end| end + 1);
            format!("{before}{BEGIN}{usage}\n{}", &after[end..])
        }
        None => page.to_owned(),
    }
}

/// Gives the examples, which clap calls extra, their own section and line breaks.
fn with_examples(page: &str) -> String {
    match page.split_once(".SH EXTRA\nExamples:\n") {
        Some((before, after)) => {
            let end = after.find("\n.SH").map_or(after.len(), |end| end + 1);
            let (examples, rest) = after.split_at(end);
            format!("{before}.SH EXAMPLES\n.nf\n{}\n.fi\n{rest}", examples.trim_end())
        }
        None => page.to_owned(),
    }
}

/// Where the name of an existing session may stand.
struct Place {
    /// The verb's names.
    verbs: Vec<String>,
    /// The argument's id.
    argument: String,
    /// Whether several may stand there, and nothing else after them.
    many: bool,
    /// The verb's options that a value follows.
    valued: Vec<String>,
}

/// Verbs that take running sessions only.
const RUNNING: [&str; 6] = ["detach", "send", "run", "events", "rename", "resize"];

impl Place {
    fn of(verb: &Command) -> Option<Self> {
        // A session to be has a name that nobody can know.
        if verb.get_name() == "new" {
            return None;
        }
        let names_a_session =
            |arg: &&Arg| arg.get_value_parser().type_id() == TypeId::of::<SessionName>();
        let argument = verb.get_positionals().find(names_a_session)?;
        let valued =
            verb.get_opts().filter(|option| !matches!(option.get_action(), ArgAction::SetTrue));
        let spelled = |option: &Arg| {
            let short = option.get_short().map(|short| format!("-{short}"));
            let long = option.get_long().map(|long| format!("--{long}"));
            [short, long].into_iter().flatten()
        };
        Some(Self {
            verbs: verb.get_name_and_visible_aliases().iter().map(ToString::to_string).collect(),
            argument: argument.get_id().to_string(),
            many: argument.get_num_args().is_some_and(|range| range.max_values() > 1)
                || matches!(argument.get_action(), ArgAction::Append),
            valued: valued.flat_map(spelled).collect(),
        })
    }

    fn verb(&self) -> &str {
        &self.verbs[0]
    }

    /// How to ask for the names: those that have ended are of no use to a verb
    /// that takes running sessions only.
    fn list(&self) -> &'static str {
        if RUNNING.contains(&self.verb()) { "ls -q" } else { "ls -a -q" }
    }
}

/// Puts a function before clap's, which has its say where no name may stand.
fn bash(script: &str, places: &[Place]) -> String {
    let mut cases = String::new();
    for place in places {
        let valued = match place.valued.join("|") {
            none if none.is_empty() => none,
            options => format!(" [[ $prev == @({options}) ]] && return 1;"),
        };
        let (verbs, list) = (place.verbs.join("|"), place.list());
        let only = match place.valued.join("|") {
            _ if place.many => String::new(),
            options => format!(" _sess_is_first '@({options})' || return 1;"),
        };
        cases.extend(["        ", &verbs, ")\n           ", &valued, &only]);
        cases.extend([" list=\"", list, "\" ;;\n"]);
    }
    let names = BASH.replace("@CASES@", &cases);
    // The function has to stand before the lines that register it.
    let (functions, register) =
        script.rsplit_once("\nif [[ \"${BASH_VERSINFO").expect("clap registers its function last");
    let register = register.replace("complete -F _sess ", "complete -F _sess_or_names ");
    format!("{functions}\n{names}\nif [[ \"${{BASH_VERSINFO{register}")
}

const BASH: &str = r#"# Whether no word before this one is a name; a value follows these options.
_sess_is_first() {
    local word i is_value=
    for (( i = 2; i < COMP_CWORD; i++ )); do
        word="${COMP_WORDS[i]}"
        if [[ $is_value || $word == "=" ]]; then
            is_value=
        elif [[ $word == $1 ]]; then
            is_value=1
        elif [[ $word != -* ]]; then
            return 1
        fi
        [[ $word == "=" ]] && is_value=1
    done
    return 0
}

_sess_names() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" list name quoted
    [[ $COMP_CWORD -gt 1 && $cur != -* && $prev != "=" && $cur != "=" ]] || return 1
    case "${COMP_WORDS[1]}" in
@CASES@        *)
            return 1 ;;
    esac
    COMPREPLY=()
    while IFS= read -r name; do
        # What has been typed may be quoted or not.
        printf -v quoted %q "$name"
        [[ $name == "$cur"* || $quoted == "$cur"* ]] && COMPREPLY+=("$quoted")
    done < <(command sess $list 2>/dev/null)
    # A file's name is no session's.
    compopt +o default +o bashdefault 2>/dev/null
    return 0
}

_sess_or_names() {
    _sess_names || _sess "$@"
}
"#;

/// Puts functions where the names stand for those of users, and for the command.
fn zsh(script: &str) -> String {
    const FIRST: &str = "autoload -U is-at-least\n";
    script
        .replace(":_users'", ":_sess_names'")
        .replace(":_cmdambivalent'", ":_sess_command'")
        .replacen(FIRST, &format!("{FIRST}{}", ZSH.replace("@RUNNING@", &RUNNING.join("|"))), 1)
}

const ZSH: &str = r#"
_sess_names() {
    local list=(-a)
    [[ $curcontext == *-command-(@RUNNING@):* ]] && list=()
    local -a names
    names=(${(f)"$(command sess ls -q $list 2>/dev/null)"})
    compadd "$@" -a names
}

# Before -- stands the new session's name, which nobody can know.
_sess_command() {
    [[ $LBUFFER == *" -- "* ]] && _cmdambivalent "$@"
}
"#;

fn fish(mut script: String, places: &[Place]) -> String {
    for place in places {
        let (verbs, list) = (place.verbs.join(" "), place.list());
        let line = format!(
            "complete -c sess -n \"__fish_sess_using_subcommand {verbs}\" -f -a \"(command sess {list} 2>/dev/null)\"\n"
        );
        script.push_str(&line);
    }
    // clap completes no values that stand without an option here.
    let shells: Vec<_> = Shell::value_variants().iter().map(ToString::to_string).collect();
    let line = format!(
        "complete -c sess -n \"__fish_sess_using_subcommand completions\" -f -a \"{}\"\n",
        shells.join(" ")
    );
    script.push_str(&line);
    script
}

/// Puts a line at the beginning of each verb's case.
fn in_cases(
    mut script: String,
    places: &[Place],
    case: impl Fn(&str) -> String,
    line: &str,
) -> String {
    for place in places {
        let line = line.replace("@LIST@", place.list());
        for verb in &place.verbs {
            let case = case(verb);
            script = script.replacen(&case, &format!("{case}            {line}\n"), 1);
        }
    }
    script
}

const ELVISH: &str = "try { e:sess @LIST@ 2>/dev/null | from-lines } catch _ { }";

const POWERSHELL: &str = "sess @LIST@ 2>$null | Where-Object { $_ -match '^[\\w.+:-]+$' } | ForEach-Object { [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_) }";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_asks_for_the_names_of_sessions() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = completions(shell);
            assert!(script.contains("sess ls -") || shell == Shell::Bash, "{shell}");
            for stands_in in ["_users", "@LIST@", "@CASES@", "@RUNNING@"] {
                assert!(!script.contains(stands_in), "{shell}");
            }
        }
        assert_eq!(completions(Shell::Zsh).matches(":_sess_names'").count(), 14);
        assert!(completions(Shell::Bash).contains("complete -F _sess_or_names -o nosort"));
        for verb in ["attach", "a", "status", "kill", "detach", "send", "run", "rename"] {
            let elvish = completions(Shell::Elvish);
            let case = elvish.split(&format!("&'sess;{verb}'= {{")).nth(1).unwrap();
            assert!(case.trim_start().starts_with("try { e:sess ls "), "{verb}");
        }
    }

    #[test]
    fn sessions_stand_where_the_command_line_says() {
        let command = Cli::command();
        let places: Vec<_> = command.get_subcommands().filter_map(Place::of).collect();
        let verbs: Vec<_> = places.iter().map(Place::verb).collect();
        assert_eq!(
            verbs,
            [
                "attach", "status", "kill", "detach", "send", "run", "wait", "capture", "logs",
                "events", "rename", "resize", "restart"
            ]
        );
        let many = places.iter().filter(|place| place.many).map(Place::verb);
        assert!(many.eq(["kill", "detach", "restart"]));
        assert_eq!(places[0].verbs, ["attach", "a"]);
        assert_eq!(places[2].valued, ["-s", "--signal", "--grace"]);
    }

    #[test]
    fn every_verb_has_a_manual_page_with_examples() {
        let pages = man_pages();
        let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "sess.1",
                "sess-new.1",
                "sess-attach.1",
                "sess-ls.1",
                "sess-status.1",
                "sess-kill.1",
                "sess-detach.1",
                "sess-send.1",
                "sess-run.1",
                "sess-wait.1",
                "sess-capture.1",
                "sess-logs.1",
                "sess-events.1",
                "sess-rename.1",
                "sess-resize.1",
                "sess-restart.1",
                "sess-restore.1",
                "sess-prune.1",
                "sess-completions.1",
                "sess-man.1",
                "sess-config.1",
            ]
        );
        for (name, page) in &pages {
            let page = String::from_utf8_lossy(page);
            assert!(page.contains("\n.SH EXAMPLES\n.nf\n  "), "{name}");
            assert!(page.contains("\n.fi\n") && !page.contains("EXTRA"), "{name}: {page}");
        }
    }
}
