//! "Did you mean": the known word nearest to a mistyped one.
//!
//! Distance in letters finds slips, doubled letters and swapped neighbours, and
//! a limit of a third of the word keeps it from guessing. Its cost is bounded:
//! it runs once per mistake, and a file may be nothing but mistakes.

/// The candidate nearest to `word` as a hint, when one is near enough to be
/// what was meant: a third of its letters may differ.
#[must_use]
pub fn did_you_mean<S: AsRef<str> + Ord>(
    word: &str,
    candidates: impl IntoIterator<Item = S>,
) -> Option<String> {
    let word: Vec<char> = word.chars().take(MAX_LENGTH).collect();
    let most = (word.len() / 3).max(1);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .map(|candidate| {
            // Of two that are equally near, the one that was begun.
            let is_begun = candidate.as_ref().chars().zip(&word).all(|(a, b)| a == *b);
            (distance(&word, candidate.as_ref()), !is_begun, candidate)
        })
        .filter(|&(distance, ..)| distance <= most)
        .min()
        .map(|(.., candidate)| format!("did you mean {:?}?", candidate.as_ref()))
}

/// More candidates are not looked at: a large world full of mistakes would
/// take minutes to report.
const MAX_CANDIDATES: usize = 1_000;

/// Longer words are cut: the cost is the product of both lengths.
const MAX_LENGTH: usize = 64;

/// Letters to add, drop, replace or swap with a neighbour, case ignored
/// (optimal string alignment).
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().take(MAX_LENGTH).collect();
    let same = |i: usize, j: usize| a[i].eq_ignore_ascii_case(&b[j]);
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(!same(i, j));
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(i, j - 1) && same(i - 1, j) {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = ["nearest", "weighted", "ttl", "ttl-floor", "vips", "prefer", "prefixes"];
        let rows = [
            ("nearst", Some("nearest"), "a letter lost"),
            ("wieghted", Some("weighted"), "two swapped count once"),
            ("TTL", Some("ttl"), "case is no mistake of spelling"),
            ("tll", Some("ttl"), "short words may have one"),
            ("ttl_floor", Some("ttl-floor"), "an underscore"),
            ("prefix", Some("prefixes"), "the one that was begun, not prefer"),
            ("balancers", None, "nothing near"),
            ("", None, "nothing at all"),
        ];
        for (word, want, why) in rows {
            let want = want.map(|want| format!("did you mean {want:?}?"));
            assert_eq!(did_you_mean(word, known), want, "{word}: {why}");
        }
    }
}
