//! Prints traces: `rhumb-link-traces --kind brownout --seed 7 --groups 500`.
//!
//! Samples go to standard output, as `rhumb train` and `rhumb evaluate` read
//! them. Without arguments it says what there is.

use std::io::{self, Write};
use std::process::ExitCode;

use rhumb_link_traces::{HEADER, How, KINDS, Kind, trace, write};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (text, code) = match read(&arguments) {
        Ok(how) => {
            let mut text = format!("{HEADER}\n");
            write(&trace(&how), &mut text);
            (text, ExitCode::SUCCESS)
        }
        Err(wrong) => {
            let kinds = KINDS.map(|kind| format!("  {:<10} {}\n", kind.name, kind.about)).concat();
            let usage = "rhumb-link-traces --kind KIND [--seed 1] [--groups 500] [--wrong 0.1]";
            (format!("{wrong}\nusage: {usage}\nkinds:\n{kinds}"), ExitCode::FAILURE)
        }
    };
    // A reader that has seen enough is no failure.
    let _ = if code == ExitCode::SUCCESS {
        io::stdout().write_all(text.as_bytes())
    } else {
        io::stderr().write_all(text.as_bytes())
    };
    code
}

fn read(arguments: &[String]) -> Result<How<'static>, String> {
    let mut kind = None;
    let (mut seed, mut groups, mut wrong) = (1, 500, 0.1);
    for pair in arguments.chunks(2) {
        let [option, value] = pair else {
            return Err(format!("{}: must have a value", pair[0]));
        };
        let bad = |must: &str| format!("{option} {value}: must be {must}");
        match option.as_str() {
            "--kind" => kind = Some(Kind::named(value).ok_or_else(|| bad("a kind"))?),
            "--seed" => seed = value.parse().map_err(|_| bad("a number from 0 on"))?,
            "--groups" => groups = value.parse().map_err(|_| bad("a number from 0 on"))?,
            "--wrong" => {
                wrong = value
                    .parse()
                    .ok()
                    .filter(|share| (0.0..=1.0).contains(share))
                    .ok_or_else(|| bad("0–1"))?;
            }
            _ => return Err(format!("{option}: not an option")),
        }
    }
    Ok(How { kind: kind.ok_or("--kind: must be given")?, seed, groups, wrong })
}
