//! Promise: every claim is as stated; the harness finds what is wrong, makes it small, keeps it, and
//! tries it first the next time.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

use shatter_network::ExactPoints;

use crate::common::cases;
use proptest::prelude::*;
use shatter_claims::catalogue::{FALSE_FORMS, TRUE_FORMS};
use shatter_claims::strategy::{
    LabelKind, PointKind, any_sample, architecture, dependent, network, points, sample,
};
use shatter_claims::{
    Certificate, Claim, Counterexample, Evidence, Failure, Harness, HarnessError, Outcome,
    SavedError, SavedSample, Stated, Trial, catalogue, first_misfit, run, saved,
};
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{ConstructError, Construction, DepthTwo, Task, ThresholdRule};
use shatter_exact::{Rational, matrix};
use shatter_network::{ExactNetwork, Network};
use shatter_obstruct::{
    CoverBound, DimensionBound, GrowthBound, Inseparable, LabelledLine, ObstructError, Obstruction,
    PieceBound,
};
use shatter_sample::{LabelRule, Labels, Points, RawSample, Sample, Target, Values};

fn quiet(_: shatter_claims::Trying) {}

#[test]
fn every_claim_is_as_stated() {
    let report = run(&catalogue::all(), 64, 1, &mut quiet);
    let failed: Vec<_> = report.claims.iter().filter(|row| !row.as_stated).collect();
    assert!(report.as_stated && failed.is_empty(), "{failed:#?}");
}

#[test]
fn names_and_numbers_are_unique_and_the_headline_agrees_with_the_verdicts() {
    let claims = catalogue::all();
    for (i, claim) in claims.iter().enumerate() {
        assert!(claims[..i].iter().all(|c| c.number < claim.number && c.name != claim.name));
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit();
        assert!(claim.name.chars().all(kebab), "{}", claim.name);
        assert_eq!(catalogue::find(claim.name).unwrap().number, claim.number);
        assert_eq!(catalogue::find(&claim.number.to_string()).unwrap().name, claim.name);
        assert!(!TRUE_FORMS.contains(&claim.number) || claim.verdict == Stated::True);
        assert!(!FALSE_FORMS.contains(&claim.number) || claim.verdict == Stated::False);
    }
    assert!(catalogue::find("no-such-claim").is_none());
}

/// Expected failures: a claim with the wrong verdict, and one whose witness does not stand.
#[test]
fn a_wrong_verdict_and_a_missing_witness_fail() {
    for claim in catalogue::all() {
        let verdict = match claim.verdict {
            Stated::True => Stated::False,
            Stated::False | Stated::Quoted => Stated::True,
        };
        let report = run(&[Claim { verdict, ..claim }], 2, 1, &mut quiet);
        assert!(!report.as_stated && report.table().contains("1 of 1 claims fail"));
    }
    let harmless = |run: &Trial| {
        let one = sample(PointKind::Distinct, LabelKind::Constant, 1..=3, 1..=2);
        run.refuted_by_sample(one, |sample| match sample.labels.agree(0, sample.points.n() - 1) {
            true => Err("all labels are equal".to_owned()),
            false => Ok("two labels".to_owned()),
        })
    };
    let claim = Claim { test: harmless, ..catalogue::find("width-below-d-blocks").unwrap() };
    let report = run(&[claim], 8, 1, &mut quiet);
    assert!(
        matches!(&report.claims[0].evidence, Evidence::Failed { reason } if reason.contains("no witness"))
    );
}

#[test]
fn equal_seeds_give_equal_evidence_alone_and_among_others() {
    let record = |claims: &[Claim], seed| {
        let report = run(claims, 4, seed, &mut quiet);
        report.claims.into_iter().map(|row| (row.number, row.evidence)).collect::<Vec<_>>()
    };
    let all = record(&catalogue::all(), 3);
    for claim in catalogue::all() {
        assert!(all.contains(&record(&[claim], 3)[0]));
    }
    let generated = |seed, series| {
        let seen = std::cell::RefCell::new(Vec::new());
        let harness = Harness { cases: 20, seed, series, ..Harness::default() };
        let outcome = harness.holds(any::<u64>(), |x| {
            seen.borrow_mut().push(*x);
            Ok(())
        });
        assert!(matches!(outcome, Ok(Outcome::Held { cases: 20 })));
        seen.into_inner()
    };
    assert_eq!(generated(1, 1), generated(1, 1));
    assert_ne!(generated(1, 1), generated(2, 1));
    assert_ne!(generated(1, 1), generated(1, 2));
}

/// Theorem 1.
fn zhang(sample: &Sample) -> Result<ExactNetwork, ConstructError> {
    let task = Task::new(&sample.points, &sample.labels, 0);
    DepthTwo { threshold: ThresholdRule::Data }.fit_exact(&task).map(|fit| fit.network)
}

/// Theorem 1 without its last unit.
fn one_unit_less(sample: &Sample) -> Result<ExactNetwork, ConstructError> {
    let mut network = zhang(sample)?;
    network.b.pop();
    network.w.pop();
    Ok(network)
}

/// Theorem 1 with the last weight's sign flipped.
fn one_sign_flipped(sample: &Sample) -> Result<ExactNetwork, ConstructError> {
    let mut network = zhang(sample)?;
    if let Some(last) = network.w.last_mut() {
        *last = -last.clone();
    }
    Ok(network)
}

fn fails(outcome: Outcome<Sample>) -> Counterexample<Sample> {
    match outcome {
        Outcome::Fails(found) => found,
        Outcome::Held { cases } => panic!("held in {cases} cases"),
    }
}

#[test]
fn a_unit_less_and_a_flipped_sign_are_caught_shrunk_saved_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    type Build = fn(&Sample) -> Result<ExactNetwork, ConstructError>;
    for (name, build) in [("less", one_unit_less as Build), ("flipped", one_sign_flipped)] {
        let file = folder.path().join("saved").join(name);
        let harness = Harness { saved: Some(file.clone()), ..Harness::default() };
        let found = fails(harness.fits_every(any_sample(1..=20, 1..=4), build).unwrap());
        // One point is enough: without its unit, or with the wrong sign, its label is missed.
        assert!(!found.replayed);
        assert_eq!((found.value.points.n(), found.value.points.d()), (1, 1), "{found:?}");
        let Failure::Misfit(misfit) = &found.failure else { panic!("{found:?}") };
        assert_ne!(misfit.got, misfit.wanted);
        let (points, labels) = (&found.value.points, &found.value.labels);
        let again = first_misfit(&build(&found.value).unwrap(), points, labels, Target::Value);
        assert_eq!(again.as_ref(), Some(misfit));
        // Saved by value, and tried before anything is generated.
        let kept = saved::load(&file).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((&kept[0].points, &kept[0].labels), (&found.value.points, &found.value.labels));
        let other = Harness { seed: 99, cases: 1, ..harness.clone() };
        let replayed = fails(other.fits_every(any_sample(1..=20, 1..=4), build).unwrap());
        assert!(replayed.replayed);
        assert_eq!(replayed.value.points, found.value.points);
        // What is saved once is not saved twice; once the code is right, it counts as a case.
        saved::add(&file, &found.value).unwrap();
        let held = other.fits_every(any_sample(1..=20, 1..=4), zhang).unwrap();
        assert!(matches!(held, Outcome::Held { cases: 2 }));
    }
}

#[test]
fn refusals_and_panics_are_failures() {
    let harness = Harness::default();
    let refuse = |sample: &Sample| match sample.points.n() {
        0..3 => Ok(|_: &[Rational]| vec![Rational::ZERO]),
        n => Err(format!("{n} points are too many")),
    };
    let zeros = || sample(PointKind::Clustered, LabelKind::Classes(1), 1..=9, 1..=3);
    let found = fails(harness.fits_every(zeros(), refuse).unwrap());
    assert_eq!(found.value.points.n(), 3);
    assert!(matches!(found.failure, Failure::Refused(reason) if reason == "3 points are too many"));
    let panics = |sample: &Sample| {
        assert!(sample.points.n() < 2, "two points");
        Ok::<_, String>(|_: &[Rational]| vec![Rational::ZERO])
    };
    let found = fails(harness.fits_every(zeros(), panics).unwrap());
    assert_eq!(found.value.points.n(), 2);
    assert!(matches!(found.failure, Failure::Panicked(message) if message.contains("two points")));
    // A network with too few outputs does not fit either.
    let silent = |_: &Sample| Ok::<_, String>(|_: &[Rational]| Vec::new());
    assert!(matches!(
        fails(harness.fits_every(zeros(), silent).unwrap()).failure,
        Failure::Misfit(_)
    ));
    // Impossible demands are an error, not a verdict.
    let one = sample(PointKind::Distinct, LabelKind::Real, 1..=1, 1..=1);
    let outcome = harness.fits_every(one.prop_filter("impossible", |_| false), zhang);
    assert!(matches!(outcome, Err(HarnessError::Rejected(_))));
}

#[test]
fn constructions_keep_their_promises_or_are_caught() {
    let harness = Harness { cases: 64, ..Harness::default() };
    let held = harness.keeps_its_promise(any_sample(1..=9, 1..=3), &WidthTwo).unwrap();
    assert!(matches!(held, Outcome::Held { cases: 64 }));
    /// Promises a unit less than it builds.
    struct Boastful;
    impl Construction for Boastful {
        fn name(&self) -> String {
            "boastful".to_owned()
        }
        fn source(&self) -> &'static str {
            WidthTwo.source()
        }
        fn statement(&self) -> &'static str {
            WidthTwo.statement()
        }
        fn assumptions(&self) -> &'static [shatter_construct::Assumption] {
            WidthTwo.assumptions()
        }
        fn promise(&self, task: &Task) -> Result<shatter_construct::Promise, ConstructError> {
            let mut promise = WidthTwo.promise(task)?;
            promise.units = shatter_construct::Bound::AtMost(2 * task.points.n() as u64 - 2);
            Ok(promise)
        }
        fn build(&self, task: &Task) -> Result<Network, ConstructError> {
            WidthTwo.build(task)
        }
    }
    let found = fails(harness.keeps_its_promise(any_sample(1..=9, 1..=3), &Boastful).unwrap());
    assert_eq!(found.value.points.n(), 1);
    assert_eq!(found.failure.to_string(), "units: promised <= 0, built 1");
}

/// A certificate of its own index, right or wrong.
struct Certified(Option<String>);

impl Certificate for Certified {
    fn check(&self, _: &Sample) -> Result<(), String> {
        self.0.clone().map_or(Ok(()), Err)
    }
}

#[test]
fn certificates_are_checked_before_they_count() {
    let harness = Harness { cases: 32, ..Harness::default() };
    let samples = || sample(PointKind::MomentCurve, LabelKind::Alternating, 1..=9, 1..=2);
    let held = harness.fits_none(samples(), |_| Some(Certified(None))).unwrap();
    assert!(matches!(held, Outcome::Held { cases: 32 }));
    let wrong = |_: &Sample| Some(Certified(Some("step 3".to_owned())));
    let found = fails(harness.fits_none(samples(), wrong).unwrap());
    assert_eq!(found.failure.to_string(), "a certificate that is wrong: step 3");
    let above = |sample: &Sample| (sample.points.n() > 4).then_some(Certified(None));
    assert!(fails(harness.fits_none(samples(), above).unwrap()).value.points.n() <= 4);
}

/// Alternating labels on n points of a line, and the proof that 1-2-1-1 does not fit them.
fn pieces(n: usize) -> Result<(Sample, PieceBound), ObstructError> {
    let points = Points::new(Values::I64((0..n as i64).collect()), vec![1]).unwrap();
    let labels = Labels::classes((0..n as u32).map(|i| i % 2).collect(), 2).unwrap();
    let raw = RawSample { text: "a line".to_owned(), points, labels };
    let sample = raw.distinct(LabelRule::True, 0).unwrap();
    let line = LabelledLine::of_sample(&sample.points, &sample.labels)?;
    let half = Rational::ONE / Rational::from(2);
    PieceBound::new(&"1-2-1-1".parse().unwrap(), &line, half).map(|proof| (sample, proof))
}

#[test]
fn certificates_of_obstructions_are_held_against_the_sample() {
    let (sample, proof) = pieces(8).unwrap();
    assert!(pieces(7).is_err()); // not excluded
    let about = |sample: &Sample, proof: &Obstruction| Certificate::check(proof, sample);
    let obstruction = Obstruction::from(proof.clone());
    assert_eq!(about(&sample, &obstruction), Ok(()));
    // It may leave points out.
    assert_eq!(about(&pieces(11).unwrap().0, &obstruction), Ok(()));
    let refused = |result: Result<(), String>, part: &str| {
        assert!(result.as_ref().is_err_and(|reason| reason.contains(part)), "{result:?}");
    };
    // Proofs that hold, but about something else.
    let mut fewer = sample.clone();
    fewer.points = sample.points.select(&[0, 1, 2, 3, 4, 5, 6]).unwrap();
    fewer.labels = sample.labels.select(&[0, 1, 2, 3, 4, 5, 6]);
    refused(about(&fewer, &obstruction), "its point 7 is not in the sample");
    let mut moved = proof.clone();
    moved.line.points[7][0] += Rational::ONE / Rational::from(1_000_000_007);
    refused(about(&sample, &moved.into()), "its point 7 is not in the sample");
    let mut relabelled = proof.clone();
    relabelled.line.labels[3] += Rational::ONE;
    refused(about(&sample, &relabelled.into()), "point 3 of the sample has another label");
    let mut vectors = sample.clone();
    vectors.labels = Labels::real(vec![0.0; 16], 2).unwrap();
    refused(about(&vectors, &obstruction), "single numbers");
    // One that does not hold.
    let mut altered = proof.clone();
    altered.pieces += 1;
    refused(about(&sample, &altered.into()), "the number of pieces");
    // Counts of labelings are not about these labels.
    let mlp = "1-1-1".parse().unwrap();
    for proof in [
        DimensionBound::new(&mlp, 8).unwrap().into(),
        CoverBound::new(8, 2).unwrap().into(),
        GrowthBound::least(&mlp).unwrap().into(),
    ] {
        refused(about(&sample, &proof), "not of these");
    }
    // Half-spaces: the class is the side.
    let positive: Vec<bool> = (0..8).map(|i| i % 2 == 1).collect();
    let rows: Vec<_> = (0..8).map(|i| sample.points.exact_row(i)).collect();
    let inseparable = |positive: &[bool]| Inseparable::new(&rows, positive, true).unwrap().into();
    assert_eq!(about(&sample, &inseparable(&positive)), Ok(()));
    let other: Vec<bool> = positive.iter().map(|side| !side).collect();
    refused(about(&sample, &inseparable(&other)), "point 0 of the sample has another label");
}

#[test]
fn the_runner_checks_certificates_itself() {
    fn refuted(altered: bool) -> Evidence {
        let (sample, mut proof) = pieces(8).unwrap();
        if altered {
            proof.architecture = "1-2-2-1".parse().unwrap();
        }
        let (witness, checked) = (shatter_claims::describe(&sample), "all of it".to_owned());
        Evidence::Refuted { witness, checked, cases: 1, certificate: Some(proof.into()) }
    }
    let claim = catalogue::find("width-one-fits").unwrap();
    let honest = Claim { test: |_| refuted(false), ..claim.clone() };
    let report = run(&[honest], 1, 1, &mut quiet);
    assert!(report.as_stated);
    let table = report.table().split_whitespace().collect::<Vec<_>>().join(" ");
    let proof = "checked: no ReLU network 1-2-1-1 has outputs above and below 1/2 in turn at these 8 \
                 collinear points: on a line it has at most 6 linear pieces (re-checked); all of it";
    assert!(table.contains(proof), "{table}");
    let altered = Claim { test: |_| refuted(true), ..claim };
    let report = run(&[altered], 1, 1, &mut quiet);
    let evidence = &report.claims[0].evidence;
    assert!(!report.as_stated);
    assert!(
        matches!(evidence, Evidence::Failed { reason } if reason.contains("does not hold")),
        "{evidence:?}"
    );
}

/// The claims that rest on proofs of impossibility show them; others show none.
#[test]
fn refutations_by_impossibility_carry_their_certificate() {
    let report = run(&catalogue::all(), 8, 1, &mut quiet);
    let json = serde_json::to_value(&report).unwrap();
    let certified: Vec<(u64, &str)> = json["claims"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| {
            let kind = row["evidence"]["certificate"]["obstruction"].as_str()?;
            Some((row["number"].as_u64()?, kind))
        })
        .collect();
    let expected = [
        (2, "alternation"),
        (5, "alternation"),
        (8, "width-one"),
        (10, "alternation"),
        (15, "collinear-threshold"),
    ];
    assert_eq!(certified, expected);
}

#[test]
fn bad_files_of_saved_samples_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.json");
    assert!(saved::load(&file).unwrap().is_empty());
    let sample = |kind: &str, points: &str, labels: &str| {
        format!(
            r#"{{"format": "shatter samples 1", "samples": [{{"type": "{kind}", "shape": [1],
                "points": {points}, "labels": {labels}}}]}}"#
        )
    };
    let one = r#"{"classes": {"count": 2, "of": [1]}}"#;
    std::fs::write(&file, sample("i64", r#"[["3"]]"#, one)).unwrap();
    assert_eq!(saved::load(&file).unwrap().len(), 1);
    let bad = [
        (String::new(), "EOF"),
        ("[]".to_owned(), "invalid"),
        ("\u{0}\u{1}".to_owned(), "expected value"),
        (r#"{"format": "other", "samples": []}"#.to_owned(), "its format is 'other'"),
        (sample("i63", r#"[["3"]]"#, one), "'i63' is not a type"),
        (sample("i64/3^2", r#"[["3"]]"#, one), "'i64/3^2' is not a type"),
        (sample("u8", r#"[["300"]]"#, one), "'300' is not a number of this type"),
        (sample("f64", r#"[["NaN"]]"#, one), "NaN"),
        (sample("i64", r#"[]"#, one), "sample 0"),
        (sample("i64", r#"[["3", "4"]]"#, one), "coordinates"),
        (sample("i64", r#"[["3"], ["4"]]"#, one), "1 labels for 2 points"),
        (sample("i64", r#"[["3"]]"#, r#"{"classes": {"count": 1, "of": [1]}}"#), "class"),
        (sample("i64", r#"[["3"]]"#, r#"{"real": [["inf"]]}"#), "inf"),
        (sample("i64", r#"[["3"], ["3"]]"#, r#"{"real": [["1"], ["2"]]}"#), "different labels"),
        (sample("i64", r#"[["3"], ["4"]]"#, r#"{"real": [["1"], []]}"#), "different lengths"),
    ];
    for (text, words) in bad {
        std::fs::write(&file, &text).unwrap();
        let error = saved::load(&file).unwrap_err();
        assert!(matches!(error, SavedError::Format { .. }), "{text}");
        assert!(error.to_string().contains(words), "{error} for {text}");
        // A file that cannot be read is not overwritten either.
        let harness = Harness { saved: Some(file.clone()), ..Harness::default() };
        assert!(harness.fits_every(any_sample(1..=3, 1..=1), one_unit_less).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    assert!(matches!(saved::load(folder.path()), Err(SavedError::Io { .. })));
}

/// Whether the points lie on one line, by the rank of their differences.
fn affine_rank(sample: &Sample) -> usize {
    let row = |i: usize| sample.points.exact_row(i);
    let minus = |i| row(i).iter().zip(&row(0)).map(|(x, y)| x - y).collect();
    matrix::rank(&(1..sample.points.n()).map(minus).collect::<Vec<Vec<Rational>>>())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn samples_are_what_their_kinds_say(
        kind in prop::sample::select(&PointKind::ALL[..]),
        label in prop::sample::select(&LabelKind::ALL[..]),
        sizes in (1usize..=6, 0usize..=6, 1usize..=3, 0usize..=2),
        seed in any::<u64>(),
    ) {
        let (least, more, least_d, more_d) = sizes;
        let (n, d) = (least..=least + more, least_d..=least_d + more_d);
        let harness = Harness { cases: 4, seed, ..Harness::default() };
        let outcome = harness.holds(sample(kind, label, n.clone(), d.clone()), |sample| {
            let (points, labels) = (&sample.points, &sample.labels);
            let check = |holds: bool, words: &str| {
                if holds { Ok(()) } else { Err(Failure::from(format!("{words}: {sample:?}"))) }
            };
            check(n.contains(&points.n()) && d.contains(&points.d()), "sizes")?;
            check(labels.len() == points.n(), "labels")?;
            let row = |i: usize| points.exact_row(i);
            let distinct = |i: usize| (0..i).all(|j| row(i) != row(j));
            check((0..points.n()).all(distinct), "distinct")?;
            match kind {
                PointKind::GeneralPosition => check(dependent(points).is_none(), "position")?,
                PointKind::Collinear => check(affine_rank(sample) <= 1, "line")?,
                PointKind::MomentCurve => {
                    let power = |i: usize, k: usize| row(i)[k] == row(i)[0].pow(k as isize + 1);
                    let on = |i: usize| (0..points.d()).all(|k| power(i, k));
                    check((0..points.n()).all(on), "curve")?;
                }
                PointKind::Distinct | PointKind::Clustered | PointKind::NearDuplicate => {}
            }
            let count = match labels { Labels::Classes { count, .. } => *count, Labels::Real { .. } => 0 };
            match label {
                LabelKind::Real => check(count == 0, "real"),
                LabelKind::Binary => check(count == 2, "binary"),
                LabelKind::Classes(classes) => check(count == classes, "classes"),
                LabelKind::Constant => check((1..points.n()).all(|i| labels.agree(0, i)), "constant"),
                LabelKind::Alternating => {
                    let mut order: Vec<usize> = (0..points.n()).collect();
                    order.sort_by_key(|&i| row(i));
                    let alternates = order.windows(2).all(|pair| !labels.agree(pair[0], pair[1]));
                    check(alternates && count == 2, "alternating")
                }
            }
        });
        match outcome {
            Ok(Outcome::Held { .. }) => {}
            // Few points lie near each other on a line of one dimension.
            Err(HarnessError::Rejected(_)) => {
                prop_assert!(matches!(kind, PointKind::NearDuplicate | PointKind::GeneralPosition | PointKind::Clustered), "{kind:?} {n:?} {d:?}");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn saved_samples_come_back(sample in any_sample(1..=9, 1..=3)) {
        let text = serde_json::to_string(&SavedSample::from(&sample)).unwrap();
        let back: SavedSample = serde_json::from_str(&text).unwrap();
        let back = back.to_sample().map_err(TestCaseError::fail)?;
        prop_assert_eq!(&back.points, &sample.points);
        prop_assert_eq!(&back.labels, &sample.labels);
    }

    #[test]
    fn points_in_general_position_are_so_by_the_definition(points in points(PointKind::GeneralPosition, 3..=7, 2..=2)) {
        let row = |i: usize| points.exact_row(i);
        for (i, j, k) in (0..points.n()).flat_map(|i| (0..i).flat_map(move |j| (0..j).map(move |k| (i, j, k)))) {
            let (a, b, c) = (row(i), row(j), row(k));
            let cross = (&b[0] - &a[0]) * (&c[1] - &a[1]) - (&b[1] - &a[1]) * (&c[0] - &a[0]);
            prop_assert!(!cross.is_zero());
        }
    }

    #[test]
    fn networks_have_the_widths_of_their_architecture(
        (widths, network) in architecture(1..=3, 0..=3, 1..=4, 1..=2)
            .prop_flat_map(|widths| (Just(widths.clone()), network(Just(widths)))),
    ) {
        let (inputs, hidden, outputs) = widths;
        prop_assert_eq!(network.inputs, inputs);
        prop_assert_eq!(network.hidden.iter().map(Vec::len).collect::<Vec<_>>(), hidden);
        prop_assert_eq!(network.output.len(), outputs);
        prop_assert!(network.check_wiring().is_ok());
    }
}
