//! `rhumb links`: which link models are in use, what they learned, and words
//! about that.

use super::health::get;
use super::orders::Signature;
use super::{Ending, Failure, Socket, print};
use crate::admin;
use crate::school::{LinkOrder, LinkWhat};

/// Show the link models in use and what they learned, or have one taken back
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Links {
    #[command(subcommand)]
    word: Option<Word>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

#[derive(clap::Subcommand)]
enum Word {
    /// Use the model before the one in use, down to the operator's file
    Rollback(Model),
    /// Use the candidate that was refused last although it often decides differently
    Promote(Model),
    /// Learn now, and use what was learned if it is better
    Retrain(Model),
}

#[derive(clap::Args)]
struct Model {
    /// The model, by its file in the policy [default: the only one]
    name: Option<String>,
    #[command(flatten)]
    signature: Signature,
}

impl Links {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let (what, Model { name, signature }) = match self.word {
            None => return show(self.json, self.socket),
            Some(Word::Rollback(model)) => (LinkWhat::Rollback, model),
            Some(Word::Promote(model)) => (LinkWhat::Promote, model),
            Some(Word::Retrain(model)) => (LinkWhat::Retrain, model),
        };
        let (reason, author) = (signature.reason.clone(), signature.author());
        let order = LinkOrder { what, name, reason, author };
        signature.post("/links/orders", &serde_json::to_value(&order)?)
    }
}

fn show(json: bool, socket: Socket) -> Result<Ending, Failure> {
    let links: admin::Links = serde_json::from_slice(&get(socket, "/links")?)?;
    match json {
        true => print(&format_args!("{:#}", serde_json::to_value(&links)?))?,
        false => print(&links.to_string().trim_end())?,
    }
    Ok(Ending::Well)
}
