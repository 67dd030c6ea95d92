//! Talks to a flow in the terminal. Lines are replies; `/wait 31m` moves the flow's clock.
//!
//! ```sh
//! cargo run --example play -- examples/flows/abandoned_cart.json --context '{"first_name": "Ada"}'
//! ```

mod args;
mod host;
mod lines;
mod record;
mod screen;
mod talk;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use args::Asked;
use screen::Screen;
use talk::Talk;

/// A reason to end a talk before its input ends.
pub(crate) enum Fault {
    /// The command line, a file or the flow is wrong; holds what is.
    Usage(String),
    /// The flow could not be run; holds why.
    Run(String),
    /// Standard output or input is gone.
    Stream(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl From<chatflow::Error> for Fault {
    fn from(error: chatflow::Error) -> Self {
        match error {
            chatflow::Error::Issues(issues) => {
                let told: Vec<_> = issues.iter().map(|issue| format!("{}{issue:#}", place(issue))).collect();
                Self::Usage(told.join("\n"))
            }
            error => Self::Run(error.to_string()),
        }
    }
}

/// The line and column of the file that an issue is at.
fn place(issue: &chatflow::flow::Issue) -> String {
    match (issue.line, issue.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        _ => String::new(),
    }
}

fn main() -> ExitCode {
    let input = io::stdin().lock();
    let at_a_terminal = input.is_terminal();
    ExitCode::from(play(std::env::args_os().skip(1), input, io::stdout(), io::stderr(), at_a_terminal))
}

/// The whole program, with its streams given; answers its exit code.
pub(crate) fn play(
    args: impl Iterator<Item = OsString>,
    input: impl BufRead,
    out: impl Write,
    err: impl Write,
    at_a_terminal: bool,
) -> u8 {
    let mut screen = Screen::new(out, err, at_a_terminal);
    let done = match args::read(args) {
        Ok(Asked::Help) => screen.help().map_err(Fault::Stream),
        Ok(Asked::Play(script)) => pollster::block_on(Talk::run(*script, input, &mut screen)),
        Err(wrong) => Err(Fault::Usage(wrong)),
    };
    let (code, why) = match done {
        Ok(()) => return 0,
        Err(Fault::Stream(error)) if error.kind() == io::ErrorKind::BrokenPipe => return 0,
        Err(Fault::Stream(error)) => (1, error.to_string()),
        Err(Fault::Run(why)) => (1, why),
        Err(Fault::Usage(why)) => (2, why),
    };
    screen.note(&why);
    code
}
