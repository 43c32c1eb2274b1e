//! Who probes what.

use rhumb_health::roster::{Purpose, subject_name};

use super::World;

/// What a site probes, in words.
fn jobs(world: &World, site: &str, sites: &[&str]) -> Vec<String> {
    let name = |purpose: &Purpose| match purpose {
        Purpose::Vote(subject) => subject_name(&world.model, subject),
        Purpose::Primary(service) => format!("primary of {}", world.model.service(*service).name),
    };
    let roster = world.roster(site, sites);
    let mut names: Vec<_> = roster.jobs().iter().flat_map(|job| job.purposes.iter().map(name)).collect();
    names.sort();
    names
}

#[test]
fn sites_see_what_they_should() {
    let world = World::pair();
    let north_inside = ["balancer:north/lb", "intranet:north", "node:www/10.1.1.21:80"];
    let north_outside = [
        "link:north/a",
        "link:north/b",
        "vip:www/north/a@192.0.2.10",
        "vip:www/north/a@2001:db8::10",
        "vip:www/north/b@192.0.2.20",
    ];
    let south_outside = ["link:south/a", "vip:www/south/a@192.0.2.30"];
    let south_inside = ["balancer:south/lb"];
    let between = ["interconnect:north/south"];
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a [&'a str]], &'a str);
    let rows: [Row<'_>; 5] = [
        (
            "none",
            &["none"],
            &[&north_inside, &north_outside, &south_inside, &south_outside, &between],
            "alone",
        ),
        (
            "north",
            &["north", "south"],
            &[&north_inside, &south_outside, &between],
            "its own inside, others' outside",
        ),
        ("south", &["north", "south"], &[&south_inside, &north_outside, &between], "likewise"),
        (
            "none",
            &["none", "north", "south"],
            &[&north_outside, &south_outside],
            "outside sees what users see",
        ),
        (
            "north",
            &["north"],
            &[&north_inside, &north_outside, &south_inside, &south_outside, &between],
            "nobody else is there",
        ),
    ];
    for (site, sites, want, why) in rows {
        let mut want: Vec<String> = want.concat().iter().map(ToString::to_string).collect();
        want.sort();
        assert_eq!(jobs(&world, site, sites), want, "{site}: {why}");
    }
}

#[test]
fn equal_questions_are_asked_once() {
    let rows = [
        ("{ tcp: 443 }", "{ tcp: 443 }", 1, "the same port of the same address"),
        ("{ tcp: 443 }", "{ tcp: 444 }", 2, "another port"),
        ("{ tcp: 443 }", "{ tcp: 443, interval: 3s }", 2, "another interval"),
        ("{ tcp: 443 }", "{ tcp: 443, source: 127.0.0.1 }", 2, "from another address"),
        ("{ tcp: 443 }", "{ tcp: 443, quorum: 2 of 3 }", 1, "who counts it does not matter"),
    ];
    for (a, b, want, why) in rows {
        let world = World::new(&format!(
            "zone: a.example\ndatacenters: {{ d: {{}} }}\nservices:\n  \
             a: {{ check: {a}, vips: {{ d: 192.0.2.1 }} }}\n  b: {{ check: {b}, vips: {{ d: 192.0.2.1 }} }}\n"
        ));
        assert_eq!(world.roster("none", &["none"]).jobs().len(), want, "{a} and {b}: {why}");
    }
}

#[test]
fn from_beats_the_default() {
    let world = World::new(
        "zone: a.example\ndatacenters: { d: { links: { l: { probe: { tcp: '192.0.2.1:1', from: [d, x] } } } } }",
    );
    for (site, want) in [("d", 1), ("x", 1), ("y", 0)] {
        assert_eq!(jobs(&world, site, &["d", "x", "y"]).len(), want, "{site}");
    }
}
