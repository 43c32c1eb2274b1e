//! The models that were learned, and which of them is in use.
//!
//! An index says what stands on the shelf: `index.json`, replaced atomically,
//! beside one file per model, which is written before the index names it. So a
//! crash leaves what was or what shall be, and at most a file that nobody
//! names. The model in use is the newest that *stands*; taking one back lets
//! the one before stand as the last, down to the operator's own file, which is
//! no file here. When that file's content changes, the operator has spoken:
//! nothing learned before stands any more.
//!
//! A file that makes no sense is set aside for a look, and told; what it was
//! good for falls to the next.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rhumb_policies::link::model::LinkModel;
use serde::{Deserialize, Serialize};

use crate::files;

/// Models kept: in a week of daily lessons, as far back as anybody goes.
pub(super) const KEPT: usize = 5;

/// Larger files are not ours: a model is 3 KB, an index 10.
const MAX_FILE: u64 = 1 << 20;

const INDEX: &str = "index.json";

/// The candidate that was refused last, for an operator to overrule that.
const REFUSED: &str = "refused.model";

/// What the shelf knows of itself. Times are Unix seconds.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Index {
    /// The operator's file, by its id.
    pub(super) file: String,
    /// Since when what is in use is in use.
    pub(super) since: u64,
    /// And why.
    pub(super) why: String,
    /// When the shelf was put up: the first lesson is one interval later.
    pub(super) begun: u64,
    /// The last lesson.
    pub(super) last: Option<Lesson>,
    /// In what the links are not what the model in use was trained on.
    pub(super) drift: Vec<String>,
    /// What was learned, oldest first.
    pub(super) models: Vec<Entry>,
}

/// A model on the shelf.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Entry {
    /// Its number, which is its file's name too.
    pub(super) number: u32,
    /// Its id.
    pub(super) id: String,
    /// When it was promoted.
    pub(super) promoted: u64,
    /// Groups it was trained on.
    pub(super) groups: usize,
    /// What the gate said, each criterion with its figures.
    pub(super) gate: Vec<String>,
    /// Whether it may be in use: it was not taken back.
    pub(super) stands: bool,
}

/// What came of a lesson.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lesson {
    /// When it ended, in Unix seconds.
    pub at: u64,
    /// Whether its model was put in use.
    pub is_promoted: bool,
    /// The model's id, if there came to be one.
    pub id: Option<String>,
    /// Why, each criterion with its figures.
    pub reasons: Vec<String>,
}

/// The shelf of one model.
#[derive(Debug)]
pub(super) struct Shelf {
    directory: PathBuf,
    pub(super) index: Index,
    file: Arc<LinkModel>,
    /// The models that stand, by number, oldest first.
    standing: Vec<(u32, Arc<LinkModel>)>,
}

impl Shelf {
    /// Opens the shelf in `directory`, made if missing, for the operator's
    /// `file`; with what was wrong, in words.
    pub(super) fn open(
        directory: PathBuf,
        file: Arc<LinkModel>,
        now: Duration,
    ) -> io::Result<(Self, Vec<String>)> {
        fs::create_dir_all(&directory)?;
        let mut wrong = Vec::new();
        let path = directory.join(INDEX);
        let mut index: Option<Index> = None;
        if let Some(bytes) = read(&path)? {
            match serde_json::from_slice(&bytes) {
                Ok(read) => index = Some(read),
                Err(error) => wrong.push(set_aside(&path, &error.to_string())?),
            }
        }
        let is_new = index.is_none();
        let index = index.unwrap_or_else(|| Index { begun: now.as_secs(), ..Index::default() });
        let mut shelf = Self { directory, index, file, standing: Vec::new() };
        let is_another = shelf.index.file != shelf.file.id();
        if is_another {
            shelf.index.models.iter_mut().for_each(|entry| entry.stands = false);
            shelf.index.drift.clear();
            shelf.index.file = shelf.file.id().to_owned();
            let why = if is_new { "the operator's file" } else { "the operator's file is another now" };
            shelf.note(why, now);
        }
        shelf.fetch(&mut wrong, now)?;
        if is_another || !wrong.is_empty() {
            shelf.save()?;
        }
        Ok((shelf, wrong))
    }

    /// Reads the models that stand.
    fn fetch(&mut self, wrong: &mut Vec<String>, now: Duration) -> io::Result<()> {
        let in_use = self.index.models.iter().rev().find(|entry| entry.stands).map(|entry| entry.number);
        let mut lost = None;
        for entry in self.index.models.iter_mut().filter(|entry| entry.stands) {
            let path = self.directory.join(file_name(entry.number));
            let why = match read(&path)?.as_deref().map(LinkModel::parse) {
                Some(Ok(model)) if model.id() == entry.id => {
                    self.standing.push((entry.number, Arc::new(model)));
                    continue;
                }
                Some(Ok(_)) => set_aside(&path, "it is not the model that was put there")?,
                Some(Err(error)) => set_aside(&path, &error.to_string())?,
                None => format!("{} is gone", path.display()),
            };
            entry.stands = false;
            if in_use == Some(entry.number) {
                lost = Some(format!("model {} cannot be used", entry.number));
            }
            wrong.push(why);
        }
        if let Some(why) = lost {
            self.note(&why, now);
        }
        Ok(())
    }

    /// The model in use, and its number if it was learned here.
    pub(super) fn in_use(&self) -> (Option<u32>, &Arc<LinkModel>) {
        self.standing.last().map_or((None, &self.file), |(number, model)| (Some(*number), model))
    }

    /// The model that was in use before, if the one in use was learned here.
    pub(super) fn before(&self) -> Option<&Arc<LinkModel>> {
        let below = self.standing.len().checked_sub(1)?;
        Some(below.checked_sub(1).map_or(&self.file, |below| &self.standing[below].1))
    }

    /// When the one in use was promoted, if it was learned here.
    pub(super) fn promoted(&self) -> Option<Duration> {
        let (number, _) = self.standing.last()?;
        let entry = self.index.models.iter().find(|entry| entry.number == *number)?;
        Some(Duration::from_secs(entry.promoted))
    }

    /// Puts a model in use.
    pub(super) fn promote(&mut self, model: LinkModel, lesson: Lesson, why: &str) -> io::Result<u32> {
        let now = Duration::from_secs(lesson.at);
        let number = self.index.models.last().map_or(1, |entry| entry.number + 1);
        write(&self.directory.join(file_name(number)), &model.to_text())?;
        let before = self.index.clone();
        self.index.models.push(Entry {
            number,
            id: model.id().to_owned(),
            promoted: lesson.at,
            groups: model.groups(),
            gate: lesson.reasons.clone(),
            stands: true,
        });
        let excess = self.index.models.len().saturating_sub(KEPT);
        let dropped: Vec<_> = self.index.models.drain(..excess).collect();
        self.index.last = Some(lesson);
        self.index.drift.clear();
        self.note(why, now);
        if let Err(error) = self.save() {
            self.index = before;
            return Err(error);
        }
        self.standing.push((number, Arc::new(model)));
        self.standing.retain(|(number, _)| dropped.iter().all(|entry| entry.number != *number));
        for entry in dropped {
            // One left behind is named by nobody, and its number not given again.
            let _ = fs::remove_file(self.directory.join(file_name(entry.number)));
        }
        Ok(number)
    }

    /// Takes the model in use back, down to the operator's file; gives back its
    /// number. It holds at once, and over a restart when it is saved.
    pub(super) fn roll_back(&mut self, why: &str, now: Duration) -> Option<u32> {
        let (number, _) = self.standing.pop()?;
        self.index.models.iter_mut().filter(|entry| entry.number == number).for_each(|it| it.stands = false);
        self.index.drift.clear();
        self.note(why, now);
        Some(number)
    }

    /// Notes a lesson that led to no model in use, and keeps its candidate for
    /// an operator's word.
    pub(super) fn refuse(&mut self, candidate: Option<&LinkModel>, lesson: Lesson) -> io::Result<()> {
        self.index.last = Some(lesson);
        if let Some(candidate) = candidate {
            write(&self.directory.join(REFUSED), &candidate.to_text())?;
        }
        self.save()
    }

    /// The candidate that was refused last, if that was the last lesson.
    pub(super) fn refused(&self) -> Option<LinkModel> {
        let lesson = self.index.last.as_ref().filter(|lesson| !lesson.is_promoted)?;
        let bytes = read(&self.directory.join(REFUSED)).ok()??;
        let model = LinkModel::parse(&bytes).ok()?;
        (Some(model.id()) == lesson.id.as_deref()).then_some(model)
    }

    fn note(&mut self, why: &str, now: Duration) {
        (self.index.since, self.index.why) = (now.as_secs(), why.to_owned());
    }

    /// Writes the index.
    pub(super) fn save(&self) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.index)?;
        write(&self.directory.join(INDEX), &format!("{text}\n"))
    }
}

fn file_name(number: u32) -> String {
    format!("{number}.model")
}

/// The content of a file, if it is there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        // Makes no sense to whoever parses it.
        Ok(found) if found.len() > MAX_FILE => Ok(Some(Vec::new())),
        Ok(_) => fs::read(path).map(Some),
    }
}

fn set_aside(path: &Path, why: &str) -> io::Result<String> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".bad");
    fs::rename(path, &aside)?;
    Ok(format!("{}: {why}; it is kept as {}", path.display(), Path::new(&aside).display()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    files::replace(path, |file| file.write_all(text.as_bytes()))
}
