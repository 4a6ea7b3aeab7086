//! schema.org data inside HTML: JSON-LD scripts and microdata attributes, both as the same JSON.

use markup5ever_rcdom::Handle;
use serde_json::{Map, Value};

use super::dom;

/// Scripts of JSON-LD that are read, and bytes of one.
const MAX_SCRIPTS: usize = 20;
const MAX_SCRIPT_BYTES: usize = 512 * 1024;
/// Items of microdata, and properties of one.
const MAX_ITEMS: usize = 200;
const MAX_PROPERTIES: usize = 200;
/// Items inside items.
const MAX_ITEM_DEPTH: usize = 12;
/// Names of one property. Its value is said under each, so that names of items inside items multiply.
const MAX_NAMES: usize = 2;
/// Bytes of one property's text.
const MAX_PROPERTY_BYTES: usize = 2_000;

/// The things said in JSON-LD scripts.
pub fn json_ld(document: &Handle) -> Vec<Value> {
    let mut things = Vec::new();
    let mut scripts = 0;
    each(document, |node| {
        let is_data = dom::name(node) == Some("script")
            && dom::attribute(node, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json"));
        if is_data && scripts < MAX_SCRIPTS {
            scripts += 1;
            // serde_json bounds nesting itself (128).
            things.extend(parse(&dom::text(node, MAX_SCRIPT_BYTES)));
        }
    });
    things
}

/// Senders put line breaks into strings, comments around scripts and commas before brackets.
fn parse(text: &str) -> Option<Value> {
    let text = text.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
    let strict = serde_json::from_str(text).ok();
    strict.or_else(|| serde_json::from_str(&mended(text)).ok())
}

/// Control characters become spaces, a comma before a closing bracket goes.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '}' | ']') {
            let kept = out.trim_end();
            if kept.ends_with(',') {
                out.truncate(kept.len() - 1);
            }
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// Calls `look` with every node, in document order.
fn each(root: &Handle, mut look: impl FnMut(&Handle)) {
    let mut waiting = vec![root.clone()];
    // Ends: every node is visited once.
    while let Some(node) = waiting.pop() {
        look(&node);
        waiting.extend(node.children.borrow().iter().rev().cloned());
    }
}

/// The top items of microdata.
pub fn microdata(document: &Handle) -> Vec<Value> {
    let mut things = Vec::new();
    let mut waiting = vec![document.clone()];
    // Ends: every node is visited once.
    while let Some(node) = waiting.pop() {
        if dom::attribute(&node, "itemscope").is_some() {
            if things.len() >= MAX_ITEMS {
                break;
            }
            things.push(item(&node, 0));
            continue;
        }
        waiting.extend(node.children.borrow().iter().rev().cloned());
    }
    things
}

fn item(node: &Handle, depth: usize) -> Value {
    let mut map = Map::new();
    if let Some(kind) = dom::attribute(node, "itemtype") {
        let kind = kind.trim_end_matches('/').rsplit(['/', '#']).next().unwrap_or_default().to_owned();
        map.insert("@type".to_owned(), Value::String(kind));
    }
    if depth > MAX_ITEM_DEPTH {
        return Value::Object(map);
    }
    let mut waiting: Vec<Handle> = node.children.borrow().iter().rev().cloned().collect();
    let mut properties = 0;
    // Ends: every node inside the item is visited at most once.
    while let Some(child) = waiting.pop() {
        let property = dom::attribute(&child, "itemprop");
        let is_item = dom::attribute(&child, "itemscope").is_some();
        if let Some(names) = property
            && properties < MAX_PROPERTIES
        {
            properties += 1;
            let value = if is_item { item(&child, depth + 1) } else { Value::String(plain(&child)) };
            for name in names.split_whitespace().take(MAX_NAMES) {
                add(&mut map, name, value.clone());
            }
        }
        if !is_item {
            waiting.extend(child.children.borrow().iter().rev().cloned());
        }
    }
    Value::Object(map)
}

/// A property said twice is a list.
fn add(map: &mut Map<String, Value>, name: &str, value: Value) {
    match map.get_mut(name) {
        None => {
            map.insert(name.to_owned(), value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// The value of a property that is no item (HTML standard, 5.2.4).
fn plain(node: &Handle) -> String {
    let from = match dom::name(node) {
        Some("a" | "link" | "area") => dom::attribute(node, "href"),
        Some("img" | "source" | "embed" | "iframe") => dom::attribute(node, "src"),
        Some("time") => dom::attribute(node, "datetime"),
        Some("data" | "meter") => dom::attribute(node, "value"),
        _ => None,
    };
    let text = dom::attribute(node, "content").or(from).unwrap_or_else(|| dom::text(node, MAX_PROPERTY_BYTES));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn microdata_becomes_the_same_json_as_json_ld() {
        let html = r#"<div itemscope itemtype="http://schema.org/Order"><meta itemprop="orderNumber" content="A-17">
            <div itemprop="merchant" itemscope itemtype="http://schema.org/Organization"><span itemprop="name">Harbour
            Cafe</span></div><p>Total <span itemprop="price">12.80</span> <link itemprop="url" href="https://e.example/"></p>
            <div itemprop="acceptedOffer" itemscope></div><div itemprop="acceptedOffer" itemscope></div></div>"#;
        let dom = dom::parse(html, &dom::Patience::new()).unwrap();
        let expected = json!([{ "@type": "Order", "orderNumber": "A-17", "price": "12.80", "url": "https://e.example/",
            "merchant": { "@type": "Organization", "name": "Harbour Cafe" }, "acceptedOffer": [{}, {}] }]);
        assert_eq!(Value::Array(microdata(&dom.document)), expected);
    }

    #[test]
    fn json_ld_is_read_although_senders_write_it_badly() {
        let html = "<script type='application/ld+json'>{\"@type\":\"Order\",\n\"note\":\"two\nlines\",}</script>
            <script>{\"@type\":\"Order\"}</script><script type=\"application/ld+json\">nonsense</script>";
        let dom = dom::parse(html, &dom::Patience::new()).unwrap();
        assert_eq!(json_ld(&dom.document), [json!({ "@type": "Order", "note": "two lines" })]);
    }
}
