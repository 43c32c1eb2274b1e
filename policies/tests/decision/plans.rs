//! The order in which balancers try nodes.

use rhumb_policies::node_plan;
use rhumb_zones::ServiceId;

use crate::world::Case;

const POLICY: &str = "zone: example.com
datacenters:
  a: { links: { x: {}, y: {} }, balancers: { l: {}, m: {} } }
  b: { balancers: { l: {} } }
  c: {}
interconnects: [{ between: [b, c] }, { between: [a, b] }, { between: [a, c] }]
services:
  www:
    vips: { a: { x: 192.0.2.1 }, b: 192.0.2.2 }
    nodes:
      c: ['10.0.3.1:80']
      a: [{ address: '10.0.1.1:80', priority: -1 }, '10.0.1.2:80']
      b: ['10.0.2.1:80', { address: '10.0.2.2:80', enabled: false }]
";

/// What is down; the order for balancers of a, and of b, dead nodes after a bar.
#[test]
fn orders() {
    let rows: [(&[&str], &str, &str, &str); 8] = [
        (&[], "1.2 1.1 2.1 3.1 | 2.2", "2.1 3.1 1.2 1.1 | 2.2", "own, then as interconnects are declared"),
        (&["link:a/x"], "1.2 1.1 2.1 3.1 | 2.2", "2.1 3.1 1.2 1.1 | 2.2", "one link of two"),
        (
            &["link:a/x", "link:a/y"],
            "2.1 3.1 1.2 1.1 | 2.2",
            "2.1 3.1 1.2 1.1 | 2.2",
            "egress fault: demoted",
        ),
        (
            &["intranet:a"],
            "2.1 3.1 | 1.2 2.2 1.1",
            "2.1 3.1 1.2 1.1 | 2.2",
            "intranet fault: over the interconnect",
        ),
        (
            &["balancer:a/l", "balancer:a/m"],
            "1.2 1.1 2.1 3.1 | 2.2",
            "1.2 1.1 2.1 3.1 | 2.2",
            "balancer fault: a's traffic stays a's",
        ),
        (
            &["balancer:a/l", "balancer:a/m", "interconnect:a/b"],
            "1.2 1.1 3.1 | 2.1 2.2",
            "2.1 3.1 | 1.2 2.2 1.1",
            "unless it cannot be reached",
        ),
        (&["balancer:a/l"], "1.2 1.1 2.1 3.1 | 2.2", "2.1 3.1 1.2 1.1 | 2.2", "one balancer of two"),
        (&["node:www/10.0.2.1:80"], "1.2 1.1 3.1 | 2.1 2.2", "3.1 1.2 1.1 | 2.1 2.2", "a node"),
    ];
    let case = Case::new(POLICY);
    for (down, a, b, why) in rows {
        let plans = node_plan(&case.world, &case.state(&case.without(down)), ServiceId::new(0));
        let names: Vec<_> = plans.iter().map(|plan| &*plan.balancer).collect();
        assert_eq!(names, ["balancer:a/l", "balancer:a/m", "balancer:b/l"], "one each");
        for (plan, want) in plans.iter().zip([a, a, b]) {
            let name = |is_live| {
                let nodes = plan.nodes.iter().filter(move |node| node.is_live == is_live);
                let names = nodes.map(|node| node.node["node:www/10.0.".len()..].trim_end_matches(":80"));
                names.collect::<Vec<_>>().join(" ")
            };
            assert_eq!(
                format!("{} | {}", name(true), name(false)),
                want,
                "{}: {down:?}: {why}",
                plan.balancer
            );
        }
    }
}

#[test]
fn words() {
    let case = Case::new(POLICY);
    let down = ["balancer:a/l", "balancer:a/m", "node:www/10.0.3.1:80"];
    let plans = node_plan(&case.world, &case.state(&case.without(&down)), ServiceId::new(0));
    let want = "balancer:b/l
  1.  node:www/10.0.1.2:80: all balancers of a are down, over interconnect:a/b
  2.  node:www/10.0.1.1:80: all balancers of a are down, over interconnect:a/b
  3.  node:www/10.0.2.1:80
  -   node:www/10.0.3.1:80: node:www/10.0.3.1:80 is down
  -   node:www/10.0.2.2:80: it is disabled";
    assert_eq!(plans[2].to_string(), want);
    assert!(plans[0].to_string().starts_with("balancer:a/l (down)\n"));
    let json = plans[2].to_json();
    assert_eq!((&json["up"], &json["nodes"][3]["live"]), (&true.into(), &false.into()));
}
