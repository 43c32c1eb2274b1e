//! Cookies against the examples of RFC 9018, and what is no cookie.

use std::net::IpAddr;

use super::{Cookie, Cookies, SecretsError};

const A: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const OLD: &str = "dd3bdf9344b678b185a6f5cb60fca715";
const NEW: &str = "445536bcd2513298075a5d379663c962";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn cookies_are_judged_as_rfc_9018_does() {
    let v4 = "198.51.100.100";
    let v6 = "2001:db8:220:1:59de:d0f4:8769:82b8";
    let fresh = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    let rows = [
        (&[A][..], v4, 1_559_731_985, "2464c4abcf10c957", Ok((false, fresh)), "A.1: a new client"),
        (&[A], v4, 1_559_732_985, fresh, Ok((true, fresh)), "still fresh: as it came"),
        (
            &[A],
            v4,
            1_559_734_385,
            fresh,
            Ok((true, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77")),
            "A.2: 40 minutes old: accepted and replaced",
        ),
        (&[A], v4, 1_559_731_985 - 300, fresh, Err(true), "our clock is 5 minutes behind"),
        (&[A], "198.51.100.101", 1_559_731_985, fresh, Err(false), "another address"),
        (&[A], v4, 1_559_731_985 - 301, fresh, Err(false), "further from the future than clocks differ"),
        (&[A], v4, 1_559_731_985 + 3_600, fresh, Err(true), "an hour old"),
        (&[A], v4, 1_559_731_985 + 3_601, fresh, Err(false), "too old"),
        (
            &[A],
            "203.0.113.203",
            1_559_727_985 + 60,
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            Err(true),
            "A.3: reserved octets are hashed, and not looked at otherwise",
        ),
        (
            &[NEW, OLD],
            v6,
            1_559_741_961,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            Ok((true, "22681ab97d52c298010000005cf7c609a6bb79d16625507a")),
            "A.4: v6, and a secret that is being replaced",
        ),
        (
            &[NEW],
            v6,
            1_559_741_961,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            Ok((false, "22681ab97d52c298010000005cf7c609a6bb79d16625507a")),
            "the old secret is gone",
        ),
        (
            &[A],
            v4,
            1_559_731_985,
            "2464c4abcf10c9570102030405060708",
            Err(false),
            "another server's, shorter",
        ),
    ];
    for (secrets, source, now, cookie, want, why) in rows {
        let cookies = Cookies::new(Cookies::scan(&secrets.join("\n")).unwrap(), false);
        let source: IpAddr = source.parse().unwrap();
        let bytes = unhex(cookie);
        let judged = cookies.judge(&Cookie::read(&bytes).unwrap(), source, now).unwrap();
        match want {
            Ok((valid, answer)) => {
                assert_eq!((judged.valid, &*hex(&judged.answer)), (valid, answer), "{why}")
            }
            Err(valid) => assert_eq!(judged.valid, valid, "{why}"),
        }
        let again = cookies.judge(&Cookie::read(&judged.answer).unwrap(), source, now).unwrap();
        assert!(again.valid, "what was given is accepted: {why}");
    }
}

#[test]
fn lengths_of_a_cookie_are_those_of_rfc_7873() {
    for length in 0..64 {
        let right = length == 8 || (16..=40).contains(&length);
        assert_eq!(Cookie::read(&vec![7; length]).is_some(), right, "{length} octets");
    }
}

#[test]
fn files_of_secrets_are_read_or_refused() {
    let many = [A; 5].join("\n");
    let rows = [
        (A, Ok(1), "one"),
        (&*format!("# next\n\n{A} # current\n  {OLD}  \n"), Ok(2), "comments and spaces"),
        ("", Err(SecretsError::Count), "none"),
        (&*many, Err(SecretsError::Count), "too many"),
        (&*format!("{A}\nsecret"), Err(SecretsError::Line(2)), "no digits"),
        (&A[1..], Err(SecretsError::Line(1)), "a digit is missing"),
        ("é5e973e5a6b2a43f48e7dc849e37bfcf", Err(SecretsError::Line(1)), "not all are digits"),
    ];
    for (text, want, why) in rows {
        assert_eq!(Cookies::scan(text).map(|secrets| secrets.len()), want, "{why}");
    }
}

#[test]
fn without_a_secret_cookies_are_off() {
    let cookie = Cookie::read(&[7; 8]).unwrap();
    assert!(Cookies::default().judge(&cookie, IpAddr::from([127, 0, 0, 1]), 0).is_none());
}
