//! Reading and writing samples.

use proptest::prelude::*;

use super::*;

const GOOD: &str = "\
group,link,quality,price_km,weight,loss,delay_ms,jitter_ms,best,utility
g,a/telecom,80,310,1,0.016,41.5,1.2,1,-2.1
g,a/unicom,60,310,1,,,,0,
";

fn said(text: &[u8]) -> Vec<String> {
    let diagnostics = read_samples("s.csv", text).expect_err("it must be refused");
    diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_read() {
    let rows: [(&str, String); 6] = [
        ("as it is", GOOD.to_owned()),
        (
            "lines of Windows, a mark of byte order, empty lines",
            format!("\u{feff}{}\r\n\n", GOOD.replace('\n', "\r\n")),
        ),
        ("spaces", GOOD.replace(',', " , ")),
        ("quotes", GOOD.replace("a/telecom,80", "\"a/telecom\",\"80\"")),
        ("no end of the last line", GOOD.trim_end().to_owned()),
        (
            "columns in another order, none for utility",
            "best,link,group,price_km,quality,weight,loss,delay_ms,jitter_ms
1,a/telecom,g,310,80,1,0.016,41.5,1.2\n0,a/unicom,g,310,60,1,,,\n"
                .to_owned(),
        ),
    ];
    let facts = LinkFacts {
        quality: Some(80.0),
        price_km: Some(310.0),
        weight: Some(1.0),
        loss: Some(0.016),
        delay_ms: Some(41.5),
        jitter_ms: Some(1.2),
    };
    let other = LinkFacts { loss: None, delay_ms: None, jitter_ms: None, quality: Some(60.0), ..facts };
    for (why, text) in rows {
        let samples = read_samples("s.csv", text.as_bytes()).unwrap_or_else(|wrong| panic!("{why}: {wrong}"));
        let utility = (!text.starts_with("best")).then_some(-2.1);
        let row = |link: &str, facts, is_best, utility| Row { link: link.into(), facts, is_best, utility };
        let want = vec![row("a/telecom", facts, true, utility), row("a/unicom", other, false, None)];
        assert_eq!(samples, [Sample { group: "g".into(), rows: want }], "{why}");
    }
    let mixed = "h,x,1,1,1,0,1,1,1,\ng,z,1,1,1,0,1,1,0,\nh,y,1,1,1,0,1,1,0,\n";
    let samples = read_samples("s.csv", format!("{GOOD}{mixed}").as_bytes()).unwrap();
    let shape: Vec<_> =
        samples.iter().map(|sample| (&*sample.group, sample.rows.len(), sample.best())).collect();
    assert_eq!(shape, [("g", 3, 0), ("h", 2, 0)], "rows of a group may be apart");
}

#[test]
fn what_is_wrong_is_told_by_line_and_all_at_once() {
    let rows: [(&[&str], &[&str], &str); 21] = [
        (&["g,b,0,1,1,0,1,1,0,"], &["s.csv:4: b: quality: must be a number from 1 to 100"], "too low"),
        (&["g,b,1,-1,1,0,1,1,0,"], &["s.csv:4: b: price_km: must be a number from 0 to 40000"], "negative"),
        (&["g,b,1,1,1,1.5,1,1,0,"], &["s.csv:4: b: loss: must be a number from 0 to 1"], "a percentage"),
        (&["g,b,1,1,1,0,NaN,1,0,"], &["s.csv:4: b: delay_ms: must be a number from 0 to 60000"], "no number"),
        (&["g,b,1,1,1,0,1,inf,0,"], &["s.csv:4: b: jitter_ms:"], "infinite"),
        (&["g,b,1,1,1e9,0,1,1,0,"], &["s.csv:4: b: weight: must be a number from 0 to 1000"], "absurd"),
        (&["g,b,1,1,1,0,1,1,0,1e300"], &["s.csv:4: b: utility:"], "an absurd utility"),
        (&["g,b,x,y,1,0,1,1,2,"], &["b: quality:", "b: price_km:", "b: best: must be 1"], "all of a row"),
        (&["g,b,x,1,1,0,1,1,0,", "g,c,x,1,1,0,1,1,0,"], &["s.csv:4:", "s.csv:5:"], "all rows"),
        (
            &["g,b,1,1,1,0,1,1,0"],
            &["s.csv:4: row: line: must have 10 cells, as the header has, not 9"],
            "a cell short",
        ),
        (&["g,b,1,1,1,0,1,1,0,,"], &["must have 10 cells, as the header has, not 11"], "one too many"),
        (
            &["g,\"b,1,1,1,0,1,1,0,"],
            &["s.csv:4: row: line: a cell that begins with a quote"],
            "an open quote",
        ),
        (&["g,\"b\"c,1,1,1,0,1,1,0,"], &["a cell that begins with a quote"], "a quote inside"),
        (&["g,,1,1,1,0,1,1,0,"], &["s.csv:4: row: link: must be a name"], "no name"),
        (&["g,b\u{7},1,1,1,0,1,1,0,"], &["row: link: must be a name"], "a bell"),
        (
            &["g,a/unicom,1,1,1,0,1,1,0,"],
            &["s.csv:4: a/unicom: link: must be there once in group g"],
            "twice",
        ),
        (&["g,b,1,1,1,0,1,1,1,"], &["s.csv:2: g: best: must be 1 on exactly one link, not on 2"], "two best"),
        (
            &["h,b,1,1,1,0,1,1,0,", "h,c,1,1,1,0,1,1,0,"],
            &["s.csv:4: h: best: must be 1 on exactly one link, not on 0"],
            "none best",
        ),
        (&["h,b,1,1,1,0,1,1,1,"], &["s.csv:4: h: link: must have a rival"], "alone"),
        (
            &["h,b,1,1,1,0,1,1,7,"],
            &["s.csv:4: b: best: must be 1"],
            "what follows from a wrong row is not told",
        ),
        (&[&"x".repeat(5_000)], &["s.csv:4: row: line: must have at most 2048 bytes"], "a long line"),
    ];
    for (lines, want, why) in rows {
        let got = said(format!("{GOOD}{}\n", lines.join("\n")).as_bytes());
        assert_eq!(got.len(), want.len(), "{why}: {got:?}");
        for (got, want) in got.iter().zip(want) {
            assert!(got.contains(want), "{why}: no {want:?} in {got:?}");
        }
    }
}

#[test]
fn what_is_no_file_of_samples() {
    let head = GOOD.lines().next().unwrap();
    let files: [(Vec<u8>, &str, &str); 6] = [
        (Vec::new(), "s.csv:1: samples: file: must begin with group,link,", "nothing"),
        (b"a,b\n".to_vec(), "s.csv:1: header: a: is no column of samples", "another file"),
        (
            head.replace(",loss", "").into_bytes(),
            "s.csv:1: header: loss: must be among the columns",
            "a column short",
        ),
        (head.replace("loss", "los").into_bytes(), "hint: did you mean \"loss\"?", "a hint"),
        (head.replace("loss", "best").into_bytes(), "header: best: must be there once", "a column twice"),
        (
            [GOOD.as_bytes(), b"g,\xff,1,1,1,0,1,1,0,"].concat(),
            "s.csv:4: row: line: must be UTF-8",
            "other text",
        ),
    ];
    for (bytes, want, why) in files {
        let got = said(&bytes).join("\n");
        assert!(got.contains(want), "{why}: no {want:?} in {got}");
    }
}

#[test]
fn files_and_groups_are_bounded() {
    let got = said(&vec![b'\n'; MAX_BYTES + 1]);
    assert_eq!(got, ["s.csv: samples: file: must have at most 96 MB"], "not even read");
    let many: String = (0..300).map(|link| format!("h,{link},1,1,1,0,1,1,0,\n")).collect();
    let got = said(format!("{GOOD}{many}").as_bytes());
    assert_eq!(got.len(), 300 - 256, "the rest of a group is told");
    assert!(got[0].contains("must have at most 256 links"), "{}", got[0]);
}

fn name() -> impl Strategy<Value = String> {
    "[ -~é]{1,20}".prop_filter("not empty", |name| !name.trim().is_empty())
}

fn value(range: [f64; 2]) -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(range[0]..=range[1])
}

prop_compose! {
    fn row()(
        link in name(), quality in value([1.0, 100.0]), price_km in value([0.0, 40_000.0]),
        weight in value([0.0, 1_000.0]), loss in value([0.0, 1.0]), delay_ms in value([0.0, 60_000.0]),
        jitter_ms in value([0.0, 60_000.0]), utility in value([-1e9, 1e9]),
    ) -> Row {
        let facts = LinkFacts { quality, price_km, weight, loss, delay_ms, jitter_ms };
        Row { link: link.into(), facts, is_best: false, utility }
    }
}

prop_compose! {
    fn samples()(groups in proptest::collection::btree_map(name(), proptest::collection::vec(row(), 2..6), 0..5))
    -> Vec<Sample> {
        let sample = |(group, mut rows): (String, Vec<Row>)| {
            for (index, row) in rows.iter_mut().enumerate() {
                row.link = format!("{}{index}", row.link).into(); // no two alike
                row.is_best = index == 1;
            }
            Sample { group: group.into(), rows }
        };
        groups.into_iter().map(sample).collect()
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(samples in samples()) {
        let mut text = format!("{}\n", header());
        samples.iter().for_each(|sample| sample.write(&mut text));
        prop_assert_eq!(read_samples("s.csv", text.as_bytes()).unwrap(), samples);
    }

    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_samples("s.csv", &bytes);
        let _ = read_samples("s.csv", &[format!("{}\n", header()).as_bytes(), &bytes].concat());
    }

    #[test]
    fn no_change_does_harm(at in 0..GOOD.len(), byte: u8, text in "[,\"0-9a-z\n.-]{0,9}") {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        bytes.splice(at..at, text.bytes());
        for sample in read_samples("s.csv", &bytes).unwrap_or_default() {
            prop_assert!(sample.rows.len() > 1 && sample.rows.iter().filter(|row| row.is_best).count() == 1);
            prop_assert!(sample.features().iter().flatten().all(|value| value.is_finite()));
        }
    }
}
