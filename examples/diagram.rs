//! A picture of a flow file on standard output: as SVG, or as Mermaid or DOT if a second argument
//! says so.
use std::{env, fs, process::ExitCode};

use chatflow::Flow;
use chatflow::diagram::Diagram;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| "examples/flows/abandoned_cart.json".to_owned());
    let json = match fs::read_to_string(&file) {
        Ok(json) => json,
        Err(error) => {
            eprintln!("{file}: {error}");
            return ExitCode::from(2);
        }
    };
    let flow = match Flow::from_json(&json) {
        Ok(flow) => flow,
        Err(issues) => {
            eprintln!("{issues:#}");
            return ExitCode::from(2);
        }
    };
    let diagram = Diagram::of(&flow);
    let picture = match arguments.next().as_deref() {
        None | Some("svg") => diagram.svg(),
        Some("mermaid") => diagram.mermaid(),
        Some("dot") => diagram.dot(),
        Some(other) => {
            eprintln!("`{other}` is none of svg, mermaid, dot");
            return ExitCode::from(2);
        }
    };
    print!("{picture}");
    ExitCode::SUCCESS
}
