//! A picture of a flow file on standard output: as SVG, or as Mermaid or DOT if a word behind the
//! file says so; with its title, or for a dark page, if `title` or `dark` is there, too.
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
    let mut diagram = Diagram::of(&flow);
    let mut format = "svg".to_owned();
    for word in arguments {
        match word.as_str() {
            "title" => diagram = diagram.titled(),
            "dark" => diagram = diagram.dark(),
            "svg" | "mermaid" | "dot" => format = word,
            other => {
                eprintln!("`{other}` is none of svg, mermaid, dot, title, dark");
                return ExitCode::from(2);
            }
        }
    }
    let picture = match format.as_str() {
        "mermaid" => diagram.mermaid(),
        "dot" => diagram.dot(),
        _ => diagram.svg(),
    };
    print!("{picture}");
    ExitCode::SUCCESS
}
