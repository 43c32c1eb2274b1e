//! Model files, right and wrong.

use proptest::prelude::*;

use super::*;

fn model() -> LinkModel {
    let origin = Origin {
        seed: 7,
        cost: 0.1,
        trust: 0.75,
        groups: 480,
        held_out: 96,
        top1: 0.9375,
        regret: Some(0.021),
        formula_regret: None,
    };
    let column = |feature: Feature| Column {
        mean: 0.1 + 0.2,
        std: 1.0 / 3.0,
        weight: if feature.helps() { 0.1 } else { -0.7 },
        deciles: [-4.8, -4.8, -4.8, -4.8, -4.8, -4.0, -3.5, -3.0, -2.5, 0.5, 0.6],
        shares: [0.4, 0.4, 0.4, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    };
    LinkModel::new(origin, Feature::ALL.map(column))
}

/// A file of these lines, with the right checksum.
fn signed(body: &str) -> String {
    format!("{body}checksum {:016x}\n", name_hash(body.as_bytes()))
}

#[test]
fn a_model_is_read_as_it_was_written() {
    let text = model().to_text();
    assert_eq!(LinkModel::parse(text.as_bytes()), Ok(model()));
    assert!(text.ends_with(&signed(&model().body())[model().body().len()..]));
    assert_eq!(text.lines().last().unwrap()[9..17], *model().id(), "its name is in the file");
    let weights = model().weights().0;
    assert!((weights[Feature::Loss as usize] + 2.1).abs() < 1e-12, "per unit: {weights:?}");
}

#[test]
fn what_is_no_model() {
    let rows = [
        ("rhumb-link-model 1", "rhumb-link-model 2", "line 1: version 2 is unknown", "a version to come"),
        ("rhumb-link-model 1", "something else", "line 1: must be rhumb-link-model", "another file"),
        ("seed 7", "seed -7", "line 2: seed must be a whole number", "no seed"),
        ("cost 0.1", "cost NaN", "line 3: cost must be a number", "not a number"),
        ("trust 0.75", "trust 7.5", "line 4: trust must be a number from 0 to 1", "more than all"),
        ("held-out 96\n", "", "line 6: must be held-out", "a line short"),
        ("held-out 96", "held-out 96 97", "line 6: must have 1 words after held-out", "a word too many"),
        (
            "feature loss",
            "feature magic",
            "line 13: feature magic is unknown: must be loss",
            "an unknown feature",
        ),
        (
            "feature loss",
            "feature delay",
            "line 13: feature delay is out of order",
            "a feature in place of another",
        ),
        ("weight -0.7", "weight 0.7", "line 11: weight must be a number from -1000000 to 0", "far is good"),
        ("weight 0.1", "weight -0.1", "line 10: weight must be a number from 0 to", "quality harms"),
        ("weight -0.7", "weight -inf", "line 11: weight must be a number", "infinite"),
        ("std 0.3", "std 0.0", "", "a deviation is only read if it can be divided by"),
        ("std 0.3333333333333333", "std 0", "line 10: std must be a number from 0.000001", "no deviation"),
        ("-4 -3.5", "-3.5 -4", "line 10: deciles must not fall", "deciles out of order"),
        ("0.9 1\n", "0.9 1.5\n", "line 10: shares must be a number from 0 to 1", "more than all"),
        ("shares", "share", "line 10: must end with deciles and 11 numbers", "a key"),
        ("mean", "men", "line 10: must begin with feature NAME mean NUMBER", "a key"),
    ];
    for (from, to, want, why) in rows {
        let got = LinkModel::parse(signed(&model().body().replacen(from, to, 1)).as_bytes());
        match want {
            "" => assert!(got.is_ok(), "{why}: {got:?}"),
            _ => assert!(got.clone().unwrap_err().to_string().starts_with(want), "{why}: {got:?}"),
        }
    }
    let text = model().to_text();
    let files: [(Vec<u8>, &str, &str); 6] = [
        (Vec::new(), "line 1: must be rhumb-link-model", "nothing"),
        (vec![0xff], "must be text of at most 16 KB", "no text"),
        (vec![b'\n'; MAX_BYTES + 1], "must be text of at most 16 KB", "endless"),
        (text.replace("seed 7", "seed 8").into_bytes(), "the checksum does not match", "an edit"),
        (text.as_bytes()[..text.len() - 30].to_vec(), "line 16: must have 31 words", "cut off"),
        (format!("{text}more\n").into_bytes(), "line 17: must be the last", "more than there should be"),
    ];
    for (bytes, want, why) in files {
        let got = LinkModel::parse(&bytes).unwrap_err().to_string();
        assert!(got.starts_with(want), "{why}: {got}");
    }
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(LinkModel::parse(&bytes).is_err());
    }

    /// Even with a checksum that fits.
    #[test]
    fn no_change_does_harm(at in 0..1_000_usize, byte in "[ -~\n]", text in "[ 0-9a-zA-Z.\n-]{0,9}") {
        let mut body = model().body();
        let at = at % body.len();
        body.replace_range(at..=at, &byte);
        body.insert_str(at, &text);
        if let Ok(read) = LinkModel::parse(signed(&body).as_bytes()) {
            for (feature, weight) in Feature::ALL.into_iter().zip(read.weights().0) {
                prop_assert!(weight.is_finite() && (weight == 0.0 || (weight > 0.0) == feature.helps()));
            }
            // Its id is that of its words, and 01 is another word for 1.
            let again = LinkModel::parse(read.to_text().as_bytes()).unwrap();
            prop_assert_eq!(again.to_text(), read.to_text());
        }
    }
}
