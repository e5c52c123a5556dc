use super::rows;
use crate::training::dataset::{Dataset, DatasetError, Row};
use crate::training::ndjson;
use crate::training::split::{Split, SplitError, split, usual};

#[test]
fn every_row_is_tested_once_a_repeat_and_classes_are_dealt_evenly() {
    let data = rows(100, 3);
    let made = split(&data, &Split::Stratified { folds: 5, repeats: 2, seed: 7 }).unwrap();
    assert_eq!(made.folds.len(), 10);
    for turn in made.folds.chunks(5) {
        let mut seen: Vec<usize> = turn.iter().flat_map(|fold| fold.test.clone()).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..100));
        for fold in turn {
            assert_eq!((fold.train.len(), fold.test.len()), (80, 20));
            let counts = data.at(&fold.test).counts();
            for (count, all) in counts.iter().zip(data.counts()) {
                assert!(count.abs_diff(all / 5) <= 1, "{counts:?}");
            }
        }
    }
    assert_ne!(made.folds[0], made.folds[5]);
}

#[test]
fn a_split_has_the_same_id_only_when_the_same_rows_go_the_same_way() {
    let data = rows(60, 3);
    let how = |seed| Split::Share { share: 0.2, seed };
    assert_eq!(split(&data, &how(1)).unwrap(), split(&data, &how(1)).unwrap());
    assert_ne!(split(&data, &how(1)).unwrap().id, split(&data, &how(2)).unwrap().id);
    assert_eq!(split(&data, &how(1)).unwrap().folds[0].test.len(), 12);
}

#[test]
fn the_latest_rows_are_tested_on_and_one_moment_is_not_torn_apart() {
    let mut all = rows(10, 1).rows().to_vec();
    for (at, row) in all.iter_mut().enumerate() {
        row.time = Some([5, 1, 9, 2, 9, 3, 4, 6, 9, 8][at]);
    }
    let base = rows(10, 1);
    let data = Dataset::new(base.features().to_vec(), base.classes().to_vec(), all).unwrap();
    assert_eq!(usual(&data, 0.2, 1), Split::Time { share: 0.2 });
    let made = split(&data, &Split::Time { share: 0.2 }).unwrap();
    assert_eq!(made.folds[0].test, [2, 4, 8]);
    assert_eq!(split(&base, &Split::Time { share: 0.2 }), Err(SplitError::Unknown("times")));
}

#[test]
fn each_group_is_tested_by_the_others() {
    let made = split(&rows(9, 1), &Split::Groups).unwrap();
    assert_eq!(made.folds.len(), 3);
    assert_eq!(made.folds[1].test, [1, 4, 7]);
    assert_eq!(made.folds[1].train, [0, 2, 3, 5, 6, 8]);
}

#[test]
fn a_data_set_is_known_by_its_rows() {
    let data = rows(20, 1);
    assert_eq!(data.hash(), rows(20, 1).hash());
    let mut other = data.rows().to_vec();
    other[7].label = (other[7].label + 1) % 3;
    let other = Dataset::new(data.features().to_vec(), data.classes().to_vec(), other).unwrap();
    assert_ne!(data.hash(), other.hash());
    let zero = |zero: f64| {
        let row = Row::new(vec![zero, 1.0, 2.0, f64::NAN], 0);
        Dataset::new(data.features().to_vec(), data.classes().to_vec(), vec![row]).unwrap().hash()
    };
    assert_eq!(zero(0.0), zero(-0.0));
}

#[test]
fn lines_are_read_strictly_and_the_first_at_fault_is_named() {
    let good = r#"{"features":{"b":null,"a":1.5},"label":"y","time":"2026-03-01T00:00:00Z"}"#;
    let other = good.replace("\"y\"", "\"x\"");
    let data = ndjson::read(&format!("{good}\n\n{other}\n")).unwrap();
    assert_eq!(
        (data.features(), data.classes()),
        (&["a", "b"].map(str::to_owned)[..], &["x", "y"].map(str::to_owned)[..])
    );
    assert!(data.rows()[0].values[1].is_nan());
    assert_eq!(data.rows()[0].time, Some(1_772_323_200));
    for (bad, at) in [
        ("{", 2),
        (r#"{"features":{"a":1,"c":1},"label":"x","time":"2026-03-01T00:00:00Z"}"#, 2),
        (r#"{"features":{"a":1,"a":2,"b":1},"label":"x","time":"2026-03-01T00:00:00Z"}"#, 2),
        (r#"{"features":{"a":1,"b":1},"label":"x","colour":"red"}"#, 2),
        (r#"{"features":{"a":1,"b":"2"},"label":"x","time":"2026-03-01T00:00:00Z"}"#, 2),
        (r#"{"features":{"a":1,"b":1},"label":"x"}"#, 2),
        (r#"{"features":{"a":1,"b":1},"label":"x","weight":0,"time":"2026-03-01T00:00:00Z"}"#, 2),
    ] {
        let error = ndjson::read(&format!("{good}\n{bad}\n")).unwrap_err();
        assert!(matches!(&error, DatasetError::Row { row, .. } if *row == at), "{bad}: {error}");
    }
    assert_eq!(ndjson::read(""), Err(DatasetError::Size(0)));
    assert!(matches!(ndjson::read(good), Err(DatasetError::Names(_))));
}
