//! Records as JSON objects, typed rows, and the way from and to NDJSON.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use storage_core::{RecordReader, RecordWriter};
use storage_csv::{Cells, Options};

use crate::{csv, records};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-0-9eE.+ ]{0,5}",
        prop::sample::select(vec![
            "",
            "null",
            "true",
            "1",
            "-0",
            "1.50",
            "01",
            "\"",
            "\"x\"",
            "\"\"",
            "[1]",
            "{}",
            "[",
            " 1",
            "1\n",
            "\u{feff}a",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn objects_come_back_with_the_same_values(
        rows in prop::collection::vec(prop::collection::vec(prop::option::of(value()), 3), 1..10),
        keys in prop::collection::hash_set(text(), 3),
    ) {
        let object = |row: Vec<Option<Value>>| -> Map<String, Value> {
            keys.iter().cloned().zip(row).filter_map(|(key, value)| Some((key, value?))).collect()
        };
        let objects: Vec<Value> = rows.into_iter().map(|row| Value::Object(object(row))).collect();
        let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let options = Options::default().columns(keys.clone());
        let text = csv(&options, &lines).unwrap();
        let back: Vec<Value> = records(&Options::default(), text.as_bytes())
            .into_iter()
            .map(|record| serde_json::from_str(&record.unwrap()).unwrap())
            .collect();
        prop_assert_eq!(back, objects);
    }

    #[test]
    fn arrays_come_back_with_the_same_values(
        rows in prop::collection::vec(prop::collection::vec(value(), 2), 1..10),
    ) {
        let lines: Vec<String> = rows.iter().map(|row| json!(row).to_string()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let options = Options::default().header(false);
        let text = csv(&options, &lines).unwrap();
        let back: Vec<String> =
            records(&options, text.as_bytes()).into_iter().map(Result::unwrap).collect();
        let parsed = back.iter().map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
        prop_assert_eq!(parsed.collect::<Vec<_>>(), rows);
    }

    #[test]
    fn cells_come_back_as_they_were_as_text(
        rows in prop::collection::vec(prop::collection::vec(text(), 3), 1..10),
    ) {
        let options = Options::default().cells(Cells::Text);
        let mut encoder = options.encoder().unwrap();
        let mut before = Vec::new();
        for row in [vec!["a".to_owned(), "b".into(), "c".into()]].iter().chain(&rows) {
            encoder.encode_row(row, &mut before).unwrap();
        }
        let lines: Vec<String> =
            records(&options, &before).into_iter().map(Result::unwrap).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(csv(&options, &lines).unwrap().into_bytes(), before);
    }
}

#[test]
fn typed_cells_look_as_expected() {
    let lines = [
        r#"{"s":"text","n":1.50,"b":true,"z":null,"a":[1, {"x":"y"}],"l":12345678901234567890123}"#,
        r#"{"s":"1","n":-0,"b":false,"z":"null","a":"[1]"}"#,
        r#"{"s":"","n":"01","b":"\"q\"","z":"é","a":"{"}"#,
    ];
    let text = csv(&Options::default(), &lines).unwrap();
    let expected = r#"s,n,b,z,a,l
text,1.50,true,null,"[1, {""x"":""y""}]",12345678901234567890123
"""1""",-0,false,"""null""","""[1]""",
"""""",01,"""\""q\""""",é,{,
"#;
    assert_eq!(text, expected);
    let back: Vec<_> = records(&Options::default(), text.as_bytes())
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(back, lines);
}

#[test]
fn text_cells_refuse_what_would_be_lost() {
    let options = Options::default().columns(["a", "b"]).cells(Cells::Text);
    let text = csv(&options, &[r#"{"b":true,"a":1}"#, r#"{"a":"1","b":""}"#]).unwrap();
    assert_eq!(text, "a,b\n1,true\n1,\n");
    assert_eq!(
        records(&options, text.as_bytes())[1],
        Ok(r#"{"a":"1","b":""}"#.to_owned())
    );
    for (record, problem) in [
        (
            r#"{"a":null,"b":1}"#,
            r#"record 1, column "a": is null, which needs typed cells"#,
        ),
        (
            r#"{"a":1,"b":[]}"#,
            r#"record 1, column "b": is nested, which needs typed cells"#,
        ),
        (
            r#"{"b":1}"#,
            r#"record 1, column "a": is missing, which needs typed cells"#,
        ),
    ] {
        assert_eq!(csv(&options, &[record]).unwrap_err().to_string(), problem);
    }
}

#[test]
fn records_that_do_not_fit_are_refused_and_leave_nothing() {
    let mut encoder = Options::default().encoder().unwrap();
    let mut buffer = Vec::new();
    let mut refuse = |record: &str| {
        let before = buffer.clone();
        let error = encoder.encode(record.as_bytes(), &mut buffer).unwrap_err();
        assert!(error.is_corrupt());
        assert_eq!(buffer, before);
        error.to_string()
    };
    assert_eq!(refuse("{}"), "record 1 has no columns");
    assert_eq!(
        refuse("[1]"),
        "record 1 is an array, but columns have names"
    );
    assert_eq!(
        refuse(r#"{"a":1,"a":2}"#),
        r#"record 1, column "a": is there twice"#
    );
    assert!(refuse("1").starts_with("record 1: invalid type: integer `1`, expected an object"));
    assert!(refuse(r#"{"a":"#).starts_with("record 1: EOF"));
    assert!(refuse(r#"{"a":1} 2"#).starts_with("record 1: trailing"));
    encoder.encode(br#"{"b":1,"a":2}"#, &mut buffer).unwrap();
    let mut refuse = |record: &str| {
        encoder
            .encode(record.as_bytes(), &mut buffer)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refuse(r#"{"a":1,"c":2}"#),
        r#"record 2, column "c": is not a column"#
    );
    assert_eq!(
        refuse(r#"{"a":1,"a":2}"#),
        r#"record 2, column "a": is there twice"#
    );
    encoder.encode(b"{}", &mut buffer).unwrap();
    assert_eq!(buffer, b"b,a\n1,2\n,\n");
    let error = csv(&Options::default().header(false), &[r#"{"a":1}"#]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 1 is an object, but columns have no names"
    );
}

#[test]
fn line_endings_inside_a_nested_cell_do_not_reach_the_record() {
    let records = records(&Options::default(), b"a\n\"[1,\r\n2]\"\n\"x\ny\"\n");
    assert_eq!(
        records,
        [
            Ok(r#"{"a":[1,  2]}"#.to_owned()),
            Ok(r#"{"a":"x\ny"}"#.to_owned())
        ]
    );
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Typed {
    text: String,
    count: i64,
    ratio: f64,
    flag: bool,
    maybe: Option<u32>,
    letter: char,
}

proptest! {
    #[test]
    fn typed_rows_come_back(
        rows in prop::collection::vec(
            (text(), any::<i64>(), -1e300..1e300f64, any::<bool>(), any::<Option<u32>>(), any::<char>()),
            1..10,
        ),
    ) {
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(text, count, ratio, flag, maybe, letter)| Typed { text, count, ratio, flag, maybe, letter })
            .collect();
        let mut encoder = Options::default().encoder().unwrap();
        let mut buffer = Vec::new();
        for row in &rows {
            encoder.encode_typed(row, &mut buffer).unwrap();
        }
        let mut bare = Vec::new();
        let mut encoder = Options::default().header(false).encoder().unwrap();
        rows.iter().for_each(|row| encoder.encode_typed(row, &mut bare).unwrap());
        prop_assert!(buffer.ends_with(&bare), "without a header the rest is the same");
        let mut peer = csv::Reader::from_reader(&buffer[..]);
        let theirs: Vec<Typed> = peer.deserialize().map(Result::unwrap).collect();
        prop_assert_eq!(&theirs, &rows, "read by the csv crate");
        let mut decoder = Options::default().decoder().unwrap();
        decoder.push(buffer.into());
        let back: Vec<Typed> = std::iter::from_fn(|| decoder.next_typed().unwrap()).collect();
        prop_assert_eq!(back, rows);
    }
}

#[test]
fn typed_rows_name_their_line_when_wrong() {
    let mut decoder = Options::default().decoder().unwrap();
    decoder.push("n\n1\n\nx\n3\n".into());
    assert_eq!(decoder.next_typed::<(u8,)>().unwrap(), Some((1,)));
    let error = decoder.next_typed::<(u8,)>().unwrap_err();
    assert!(
        error.to_string().starts_with("line 4 at byte 5: "),
        "{error}"
    );
    assert!(storage_core::Error::from(error).is_corrupt());
    assert_eq!(decoder.next_typed::<(u8,)>().unwrap(), Some((3,)));
    let mut encoder = Options::default().encoder().unwrap();
    let error = encoder
        .encode_typed(&json!({"a": [1]}), &mut Vec::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"record 1, column "a": is nested, which needs typed cells"#
    );
}

/// Every record from one to the other, as a program that knows no format does it.
async fn convert(reader: &mut dyn RecordReader, writer: &mut dyn RecordWriter) {
    while let Some(record) = reader.read().await.unwrap() {
        writer.write(&record).await.unwrap();
    }
    writer.close().await.unwrap();
    reader.close().await.unwrap();
}

#[tokio::test]
async fn ndjson_goes_to_csv_and_back() {
    let lines = b"{\"a\":\"x\\ny\",\"b\":1.0}\n{\"a\":null}\n{\"b\":[{\"c\":\"\"}]}\n";
    let mut table = storage_csv::writer(Vec::new());
    convert(&mut storage_ndjson::reader(&lines[..]), &mut table).await;
    let table = table.into_inner().unwrap();
    assert_eq!(
        table,
        b"a,b\n\"x\ny\",1.0\nnull,\n,\"[{\"\"c\"\":\"\"\"\"}]\"\n"
    );
    let mut back = storage_ndjson::writer(Vec::new());
    convert(&mut storage_csv::reader(&table[..]), &mut back).await;
    assert_eq!(back.into_inner().unwrap(), lines);
}
