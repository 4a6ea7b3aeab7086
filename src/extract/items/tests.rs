//! Whole papers with their lines, drawn up for the tests.

use rust_decimal::Decimal;

use crate::{
    domain::breakdown::{ItemKind, LineItem},
    extract::tests::read,
};

/// `name | quantity | unit price | amount` of every line.
fn lines(rows: &[&str]) -> Vec<String> {
    let text = |value: Option<Decimal>| value.map_or("-".to_owned(), |v| v.to_string());
    let line = |i: &LineItem| {
        let mark = if i.kind == ItemKind::Article { String::new() } else { format!("{}: ", i.kind) };
        format!("{mark}{} | {} | {} | {}", i.name, text(i.quantity), text(i.unit_price), i.amount)
    };
    read(rows).breakdown.items.iter().map(line).collect()
}

#[test]
fn names_and_amounts_on_one_row_end_at_the_first_total() {
    let rows = [
        "Backhaus Linde GmbH",
        "Lindenstraße 12",
        "33100 Paderborn",
        "Roggenbrot  3,45 A",
        "2 x 1,10",
        "Brezel  2,20 A",
        "Rabatt  -0,50",
        "Summe EUR  5,15",
        "Gegeben BAR  10,00",
        "Rückgeld  4,85",
        "MwSt 7,0%  4,81  0,34",
    ];
    assert_eq!(
        lines(&rows),
        ["Roggenbrot | - | - | 3.45", "Brezel | 2 | 1.10 | 2.20", "discount: Rabatt | - | - | -0.50"]
    );
    let breakdown = read(&rows).breakdown;
    assert!(breakdown.items.iter().all(|i| i.p > 0.9 && i.reasons.contains(&"sum:items".to_owned())), "{breakdown:?}");
    let tax = &breakdown.taxes[0];
    assert_eq!(
        (tax.rate.to_string(), tax.net, tax.tax),
        ("7".into(), Some(Decimal::new(481, 2)), Some(Decimal::new(34, 2)))
    );
}

#[test]
fn names_above_their_numbers_are_joined_with_them() {
    let rows = [
        "KEDAI BUKU SERI MAWAR SDN BHD",
        "TEL: 03-41234567",
        "TAX INVOICE",
        "Date: 03/04/2018  10:22 AM",
        "Description  Qty  Price  Amount",
        "9556001234567",
        "PENSIL 2B",
        "2 x 1.20  2.40 SR",
        "BUKU LATIHAN A4",
        "1 x 7.53  7.53 SR",
        "Sub Total  9.93",
        "GST @6%  0.60",
        "TOTAL  10.53",
    ];
    assert_eq!(lines(&rows), ["PENSIL 2B | 2 | 1.20 | 2.40", "BUKU LATIHAN A4 | 1 | 7.53 | 7.53"]);
}

#[test]
fn columns_of_quantity_and_price_are_told_apart_by_their_product() {
    let rows = [
        "Trattoria del Porto",
        "Via Roma 5",
        "2  Coperti  2,00  4,00",
        "3  Spaghetti alle vongole  14,50  43,50",
        "1  Vino bianco 0,5l  9,00  9,00",
        "Totale  56,50",
    ];
    assert_eq!(
        lines(&rows),
        [
            "Coperti | 2 | 2.00 | 4.00",
            "Spaghetti alle vongole | 3 | 14.50 | 43.50",
            "Vino bianco 0,5l | 1 | 9.00 | 9.00"
        ]
    );
}

#[test]
fn a_chinese_bill_without_decimals_gives_dishes_counts_and_prices() {
    let rows = [
        "江南小馆",
        "桌号：A12",
        "菜品  数量  单价  金额",
        "红烧肉  1  58  58",
        "米饭  3  2  6",
        "酸梅汤  2  12  24",
        "合计  88",
        "微信支付  88",
    ];
    assert_eq!(lines(&rows), ["红烧肉 | 1 | 58 | 58", "米饭 | 3 | 2 | 6", "酸梅汤 | 2 | 12 | 24"]);
}

#[test]
fn a_fapiao_gives_its_lines_without_tax_and_the_rate() {
    let rows = [
        "电子发票（普通发票）",
        "开票日期：2026年03月04日",
        "项目名称  规格型号  单位  数量  单价  金额  税率  税额",
        "*餐饮服务*餐费  次  1  283.02  283.02  6%  16.98",
        "合计  ¥283.02  ¥16.98",
        "价税合计（大写）叁佰圆整  （小写）¥300.00",
    ];
    assert_eq!(lines(&rows), ["*餐饮服务*餐费 | 1 | 283.02 | 283.02"]);
    let tax = &read(&rows).breakdown.taxes[0];
    assert_eq!((tax.rate.to_string(), tax.tax, tax.p > 0.9), ("6".into(), Some(Decimal::new(1698, 2)), true));
}

#[test]
fn positions_are_no_quantities_and_a_total_nobody_knows_is_no_article() {
    let rows = [
        "POOD JA KOHV",
        "Kuupäev 12.03.2020",
        "1  Kohv must  3.20",
        "2  Kringel suur  4.10",
        "3  Vesi gaasita  1.50",
        "KOKKU  8.80",
        "TOTAL  8.80",
    ];
    assert_eq!(
        lines(&rows),
        ["Kohv must | - | - | 3.20", "Kringel suur | - | - | 4.10", "Vesi gaasita | - | - | 1.50"]
    );
}

#[test]
fn weighed_goods_and_service_charges_are_lines_of_their_own() {
    let rows =
        ["FRESH MARKET LTD", "BANANAS  1.89", "0.596 kg @ 3.17", "2x Iced tea  7.00", "Subtotal  8.89", "TOTAL  8.89"];
    assert_eq!(lines(&rows), ["BANANAS | 0.596 | 3.17 | 1.89", "Iced tea | 2 | - | 7.00"]);
    let rows = ["NOODLE HOUSE", "Laksa  12.00", "Kopi O  3.00", "Service Charge 10%  1.50", "TOTAL  16.50"];
    assert_eq!(
        lines(&rows),
        ["Laksa | - | - | 12.00", "Kopi O | - | - | 3.00", "charge: Service Charge | - | - | 1.50"]
    );
}

#[test]
fn swiss_tables_without_per_cent_signs_are_read_by_their_arithmetic() {
    let rows = [
        "Gasthaus zum Rössli",
        "Rösti  24.00",
        "Mineral  5.50",
        "TOTAL CHF  29.50",
        "Code  MWST %  Total  MWST",
        "A  2.60  24.00  0.61",
        "B  8.10  5.50  0.41",
    ];
    let taxes = read(&rows).breakdown.taxes;
    let all: Vec<String> = taxes
        .iter()
        .map(|t| format!("{} {:?} {:?}", t.rate, t.net.map(|n| n.to_string()), t.tax.map(|n| n.to_string())))
        .collect();
    assert_eq!(all, [r#"2.6 Some("23.39") Some("0.61")"#, r#"8.1 Some("5.09") Some("0.41")"#]);
    assert!(taxes.iter().all(|t| t.reasons.contains(&"sum:rates".to_owned())), "{taxes:?}");
}

#[test]
fn a_slip_without_lines_has_none() {
    assert_eq!(
        lines(&["深圳市某某出租汽车有限公司", "上车 08:01", "下车 08:31", "里程 7.2", "金额  32.50元"]),
        Vec::<String>::new()
    );
    assert_eq!(lines(&["MERCHANT COPY", "AID: A0000000031010", "AMOUNT  50.00", "APPROVED"]), Vec::<String>::new());
    assert_eq!(lines(&[]), Vec::<String>::new());
}
