//! The command line, and the files that it names.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

use serde_json::{Map, Value};

pub(crate) const USAGE: &str = "usage: play FLOW.json [--context JSON] [--from ADDRESS] [--functions FILE.json] [--answer NODE=JSON] [--record FILE]

  --context JSON         what the flow reads as `context`, a JSON object; the examples of its inputs if absent
  --from ADDRESS         who talks to the flow; +14155550123 if absent
  --functions FILE.json  the answers to what the flow asks the host, by the node's id, the function's name
                         or the kind of the node: {\"NAME\": VALUE, …};
                         {\"$branch\": \"BRANCH\", \"$value\": VALUE} takes a branch, {\"$failed\": \"WHY\"} fails
  --answer NODE=JSON     one such answer; may be given more than once
  --record FILE          writes what was done and what came of it to a file, as a talk (docs/talks.md)

Lines are replies, and so is `//x` for a reply that begins with a slash; blank lines are skipped.
  /wait 31m        lets time pass: 45s, 30m, 2h, 1d, 1h30m
  /answer JSON     what the host answers to `! …`, a call for which no answer was given
  /fail WHY        has that call fail
  /back JSON       a person gives the contact back, with variables for the flow or without
  /image URL       sends an image; /place LATITUDE LONGITUDE sends a place
  /state           prints the session as JSON
  /again           triggers the flow again
  /quit            ends, as the end of input does";

/// The commands that a player may write beside replies.
pub(crate) const COMMANDS: &str =
    "/wait 31m, /answer JSON, /fail WHY, /back, /image URL, /place LAT LON, /state, /again, /quit";

/// The command line, read.
pub(crate) enum Asked {
    Help,
    Play(Box<Script>),
}

/// The talk that is played.
#[derive(Debug)]
pub(crate) struct Script {
    /// The flow's JSON.
    pub flow: String,
    pub context: Option<Map<String, Value>>,
    pub from: String,
    pub functions: HashMap<String, Value>,
    /// The file that the talk is written to.
    pub record: Option<String>,
}

/// Reads the command line; the error names what is wrong with it.
pub(crate) fn read(args: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut args =
        args.map(|arg| arg.into_string().map_err(|arg| format!("argument {arg:?} is not Unicode")));
    let (mut flow, mut context, mut from, mut functions, mut record) = (None, None, None, None, None);
    let mut answers = Vec::new();
    let mut answer = None;
    while let Some(arg) = args.next().transpose()? {
        let (name, glued) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let place = match name {
            "--help" | "-h" => return Ok(Asked::Help),
            "--context" => &mut context,
            "--from" => &mut from,
            "--functions" => &mut functions,
            "--answer" => &mut answer,
            "--record" => &mut record,
            _ if name.starts_with('-') => return Err(format!("there is no `{name}`\n\n{USAGE}")),
            _ if flow.is_none() => {
                flow = Some(arg);
                continue;
            }
            _ => return Err(format!("`{name}` is one argument too many\n\n{USAGE}")),
        };
        let value = match glued {
            Some(value) => value,
            None => args.next().transpose()?.ok_or_else(|| format!("`{name}` needs a value\n\n{USAGE}"))?,
        };
        if place.replace(value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
        answers.extend(answer.take().map(|answer| self::answer(&answer)).transpose()?);
    }
    let flow = flow.ok_or_else(|| format!("no flow is given\n\n{USAGE}"))?;
    Ok(Asked::Play(Box::new(Script {
        flow: file("FLOW", &flow)?,
        context: context.map(|json| object("--context", &json)).transpose()?,
        from: from.unwrap_or_else(|| "+14155550123".to_owned()),
        functions: match functions {
            Some(path) => {
                object("--functions", &file("--functions", &path)?)?.into_iter().chain(answers).collect()
            }
            None => answers.into_iter().collect(),
        },
        record,
    })))
}

/// `NODE=JSON`.
fn answer(text: &str) -> Result<(String, Value), String> {
    let (node, json) = text.split_once('=').ok_or("--answer: give NODE=JSON, such as lookup=true")?;
    match serde_json::from_str(json) {
        Ok(value) => Ok((node.to_owned(), value)),
        Err(error) => Err(format!("--answer: `{json}` is no JSON: {error}")),
    }
}

fn file(argument: &str, path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{argument}: `{path}` cannot be read: {error}"))
}

fn object(argument: &str, json: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(json) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(format!("{argument}: must be a JSON object, such as {{\"name\": \"Ada\"}}")),
        Err(error) => Err(format!("{argument}: is no JSON: {error}")),
    }
}
