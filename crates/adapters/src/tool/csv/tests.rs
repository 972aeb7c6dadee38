use super::*;
use crate::tool::run as call;

const SHOP: &str = "\u{feff}day,region,product,units,price\n\
    2025-03-01,North,Tea,3,4.50\n\
    2025-03-01,South,\"Coffee, dark\",1,7.90\n\
    2025-03-02,North,Tea,,4.50\n\
    2025-03-02,North,\"Mug \"\"Blue\"\"\",2,12\n";

#[test]
fn the_table() {
    let all = json!([
        {"day": "2025-03-01", "region": "North", "product": "Tea", "units": 3, "price": 4.5},
        {"day": "2025-03-01", "region": "South", "product": "Coffee, dark", "units": 1, "price": 7.9},
        {"day": "2025-03-02", "region": "North", "product": "Tea", "units": null, "price": 4.5},
        {"day": "2025-03-02", "region": "North", "product": "Mug \"Blue\"", "units": 2, "price": 12}
    ]);
    let shop = |mut config: Value| {
        config["text"] = json!(SHOP);
        call(&Csv, config, json!({})).unwrap()
    };
    assert_eq!(shop(json!({})), json!({"columns": ["day", "region", "product", "units", "price"], "rowCount": 4, "rows": all}));
    assert_eq!(
        shop(json!({"select": ["product", "units"], "where": {"region": "North", "price": 4.5}})),
        json!({"columns": ["product", "units"], "rowCount": 2, "rows": [{"product": "Tea", "units": 3}, {"product": "Tea", "units": null}]})
    );
    assert_eq!(
        shop(json!({"select": ["units"], "numbers": false, "where": {"region": "South"}})),
        json!({"columns": ["units"], "rowCount": 1, "rows": [{"units": "1"}]})
    );
    assert_eq!(
        shop(json!({"groupBy": ["region"], "rows": false, "aggregate": [
            {"op": "count", "as": "orders"}, {"op": "count", "column": "units"}, {"op": "sum", "column": "units"},
            {"op": "mean", "column": "price"}, {"op": "min", "column": "price", "as": "cheapest"}, {"op": "max", "column": "price"}
        ]}))["groups"],
        json!([
            {"region": "North", "orders": 3, "count_units": 2, "sum_units": 5, "mean_price": 7, "cheapest": 4.5, "max_price": 12},
            {"region": "South", "orders": 1, "count_units": 1, "sum_units": 1, "mean_price": 7.9, "cheapest": 7.9, "max_price": 7.9}
        ])
    );
    assert_eq!(
        shop(json!({"groupBy": ["day", "region"], "rows": false})),
        json!({"columns": ["day", "region", "product", "units", "price"], "rowCount": 4, "groups": [
            {"day": "2025-03-01", "region": "North", "count": 1}, {"day": "2025-03-01", "region": "South", "count": 1},
            {"day": "2025-03-02", "region": "North", "count": 2}
        ]})
    );
    assert_eq!(
        shop(
            json!({"where": {"region": "West"}, "rows": false, "aggregate": [{"op": "sum", "column": "units"}, {"op": "max", "column": "units"}]})
        )["groups"],
        json!([{"sum_units": 0, "max_units": null}])
    );
}

#[test]
fn formats_of_the_text() {
    let table = [
        (json!({"delimiter": ";"}), "a;b\r\n1;2\r\n", json!([{"a": 1, "b": 2}])),
        (json!({"delimiter": "tab"}), "a\tb\n1\t2", json!([{"a": 1, "b": 2}])),
        (
            json!({"delimiter": "\t", "header": false}),
            "x\t1\n\ny\t2\n",
            json!([{"column1": "x", "column2": 1}, {"column1": "y", "column2": 2}]),
        ),
        (json!({}), " a , ,b\n1,2,3\n", json!([{"a": 1, "column2": 2, "b": 3}])),
        (json!({}), "a,b\n", json!([])),
        (json!({}), "a\n\"one\ntwo\"\n", json!([{"a": "one\ntwo"}])),
        // What a number would lose stays text; one such cell decides for its column.
        (
            json!({}),
            "zip,id,n,e,q\n01234,90071992547409930,1,1e3,+1\n99999,1,0.5,-2E-1,2\n",
            json!([
                {"zip": "01234", "id": "90071992547409930", "n": 1, "e": 1000, "q": "+1"},
                {"zip": "99999", "id": "1", "n": 0.5, "e": -0.2, "q": "2"}
            ]),
        ),
        (
            json!({}),
            "a,b,c,d\nNaN,1.,-,1-2\n1,2,3,4\n",
            json!([{"a": "NaN", "b": "1.", "c": "-", "d": "1-2"}, {"a": "1", "b": "2", "c": "3", "d": "4"}]),
        ),
        (json!({"where": {"ok": true}}), "ok,n\nTRUE,1\nfalse,2\n", json!([{"ok": "TRUE", "n": 1}])),
    ];
    for (config, text, rows) in table {
        assert_eq!(call(&Csv, config, json!({"text": text})).unwrap()["rows"], rows, "{text:?}");
    }
}

#[test]
fn decimal_sums_add_up() {
    let text = format!("n\n{}", "0.1\n".repeat(1000));
    let config = json!({"text": text, "rows": false, "aggregate": [{"op": "sum", "column": "n"}, {"op": "mean", "column": "n"}]});
    assert_eq!(call(&Csv, config, json!({})).unwrap()["groups"], json!([{"sum_n": 100, "mean_n": 0.1}]));
}

#[test]
fn errors_name_the_row_and_the_column() {
    let ragged = "a,b\n1,2\n\"x\ny\",4\n5\n";
    let bad = "name,amount\nx,1\ny,n/a\n";
    let table = [
        (json!({}), json!({}), "has no text"),
        (json!({}), json!({"text": [1]}), "got a list"),
        (json!({"text": null}), json!({"text": "a"}), "got null"),
        (json!({"text": ""}), json!({}), "is empty"),
        (json!({"text": ragged}), json!({}), "Row 3 of the CSV text (line 5) has 1 fields, but the first row has 2"),
        (
            json!({"text": bad, "aggregate": [{"op": "sum", "column": "amount"}]}),
            json!({}),
            "Row 2 of the CSV text (line 3), column `amount`: \"n/a\" is not a plain number, so it has no sum",
        ),
        (json!({"text": bad, "aggregate": [{"op": "sum"}]}), json!({}), "a sum without a `column`"),
        (json!({"text": bad, "aggregate": [{"op": "median", "column": "amount"}]}), json!({}), "at `aggregate[0].op`"),
        (json!({"text": bad, "aggregate": [{"op": "count"}, {"op": "count"}]}), json!({}), "named `count`"),
        (json!({"text": bad, "groupBy": ["name"], "aggregate": [{"op": "count", "as": "name"}]}), json!({}), "named `name`"),
        (
            json!({"text": bad, "select": ["amuont"]}),
            json!({}),
            "`amuont`, which is not in the CSV text. Its columns: name, amount.",
        ),
        (json!({"text": bad, "where": {"x": 1}}), json!({}), "`where`"),
        (json!({"text": bad, "groupBy": ["x"]}), json!({}), "`groupBy`"),
        (json!({"text": "a,a\n1,2\n"}), json!({}), "named `a`"),
        (json!({"text": "a", "delimiter": "ab"}), json!({}), "`delimiter`"),
        (json!({"text": "a", "delimiter": "\""}), json!({}), "`delimiter`"),
        (json!({"text": "a", "delimiter": "é"}), json!({}), "`delimiter`"),
        (json!({"text": "a", "maxRows": 0}), json!({}), "`maxRows`"),
        (json!({"text": "n\n1e308\n1e308\n", "aggregate": [{"op": "sum", "column": "n"}]}), json!({}), "too large"),
    ];
    for (config, inputs, expected) in table {
        let failure = call(&Csv, config.clone(), inputs).unwrap_err();
        assert!(failure.message.contains(expected), "{config}: {failure}");
    }
}

#[test]
fn limits_are_errors_and_never_cut() {
    let text = format!("n\n{}", "1\n".repeat(5));
    assert_eq!(call(&Csv, json!({"text": text, "maxRows": 5}), json!({})).unwrap()["rowCount"], 5);
    let failure = call(&Csv, json!({"text": text, "maxRows": 4}), json!({})).unwrap_err();
    assert_eq!(failure.code, FailureCode::TooLarge);
    assert!(failure.message.contains("More than 4 rows"), "{failure}");

    let many: String = (0..=10_000).map(|n| format!("{n}\n")).collect();
    let failure =
        call(&Csv, json!({"text": many, "header": false, "rows": false, "groupBy": ["column1"]}), json!({})).unwrap_err();
    assert_eq!(failure.code, FailureCode::TooLarge, "{failure}");

    // Large enough to leave the async threads.
    let large = format!("n,text\n{}", "7,some words to fill the line\n".repeat(60_000));
    let config = json!({"text": large, "rows": false, "aggregate": [{"op": "sum", "column": "n"}]});
    assert_eq!(call(&Csv, config, json!({})).unwrap()["groups"], json!([{"sum_n": 420_000}]));

    let wide = ",".repeat(20_000);
    assert_eq!(call(&Csv, json!({"text": wide}), json!({})).unwrap_err().code, FailureCode::TooLarge);
    let huge = "x".repeat(MAX_TEXT_BYTES + 1);
    assert_eq!(call(&Csv, json!({"text": huge}), json!({})).unwrap_err().code, FailureCode::TooLarge);
}
