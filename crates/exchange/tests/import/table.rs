//! Rows under a header: columns in any order, cells over several lines, slips by line and column.

use assay_exchange::{Format, Item};

use super::{all, items, sample, slip, slips};

fn csv(rows: &str) -> Vec<(u64, String, String)> {
    slips(Format::Csv, rows.as_bytes())
}

#[test]
fn the_sample_reads_with_its_line_break_and_its_quotes() {
    let items = items(Format::Csv, sample("reports.csv"));
    let [Item::Report(first), Item::Report(second)] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!(first.content.text, "The army \"holds\" all villages.\nNothing was lost.");
    assert_eq!((first.stated.len(), second.stated.len()), (4, 1));
    let lines: Vec<u64> =
        all(Format::Csv, sample("reports.csv")).into_iter().map(|n| n.unwrap().line).collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn columns_stand_in_any_order_and_only_known_ones() {
    assert_eq!(items(Format::Csv, "\u{FEFF}text,kind,key\nx,news,a\n").len(), 1);
    assert_eq!(csv("key,kind,text,mood\na,news,x,\n"), [slip(1, "column_unknown", "/mood")]);
    assert_eq!(csv("key,kind,text,key\n"), [slip(1, "column_twice", "/key")]);
    assert_eq!(csv("key,text\n"), [slip(1, "column_missing", "/kind")]);
    assert_eq!(csv(""), [slip(1, "header_missing", "")]);
}

#[test]
fn a_slip_names_its_line_its_code_and_its_column() {
    let head = "key,kind,published,url,text\n";
    let long = "x".repeat(2001);
    let table = [
        ("a,news,x".to_owned(), "row_length", ""),
        (",news,,,x".to_owned(), "field_missing", "/key"),
        ("a,,,,x".to_owned(), "field_missing", "/kind"),
        ("a,gossip,,,x".to_owned(), "value_unknown", "/kind"),
        ("a,news,,,".to_owned(), "text_empty", "/text"),
        ("a,news,yesterday,,x".to_owned(), "edtf_invalid", "/published"),
        (format!("a,news,,{long},x"), "text_too_long", "/url"),
    ];
    for (row, code, pointer) in table {
        let file = format!("{head}a,news,,,\"x\ny\"\n{row}\nb,news,,,x\n");
        assert_eq!(csv(&file), [slip(4, code, pointer)], "{row}");
    }
    let mut file = format!("{head}a,news,,,").into_bytes();
    file.extend(b"\xff\nb,news,,,x\n");
    assert_eq!(slips(Format::Csv, file), [slip(2, "line_not_utf8", "/text")]);
}

#[test]
fn a_quote_left_open_does_not_fill_the_memory() {
    assert_eq!(csv("key,kind,text\n\n\na,news,\"x\n"), [slip(4, "quote_open", "")]);
    let open = format!("key,kind,text\na,news,x\nb,news,\"{}", "x\n".repeat(2 * 1024 * 1024));
    let read = all(Format::Csv, open);
    assert_eq!(read.len(), 2);
    let error = read.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.line, error.code.as_ref()), (3, "line_too_long"));
}

#[test]
fn rows_are_counted_by_their_lines_whatever_ends_them() {
    let file = "key,kind,text\r\na,news,5\" gun\r\n\r\nb,news,\"x\r\n\"\"y\"\"\"\r\nc,gossip,x";
    assert_eq!(csv(file), [slip(6, "value_unknown", "/kind")]);
    let read = all(Format::Csv, file);
    let lines: Vec<u64> = read.iter().flatten().map(|numbered| numbered.line).collect();
    assert_eq!(lines, [2, 4]);
    let Item::Report(second) = &read.get(1).unwrap().as_ref().unwrap().item else { panic!() };
    assert_eq!(second.content.text, "x\r\n\"y\"");
    assert_eq!(csv("key,kind,text\na,news,x\ry\nb,news,y"), [slip(2, "row_invalid", "")]);
}
