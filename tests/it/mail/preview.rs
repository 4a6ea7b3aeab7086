//! What its owner sees of a message that waits, through the real sandboxed reader.

use mail_builder::MessageBuilder;
use vouch::{
    capture::mail::{preview, session::Dialect},
    reader::{PoolSettings, ReaderPool, child::ChildSettings},
};

use super::world::{World, talk};
use crate::support::VOUCH;

#[tokio::test(flavor = "multi_thread")]
async fn its_text_and_the_names_of_what_is_attached_are_shown_before_anybody_decides() {
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let message = MessageBuilder::new()
        .from("shop@shop.example")
        .subject("Your receipt")
        .html_body("<p>Harbour Cafe</p><p onclick=x>Total 12.80 &lt;b&gt;</p>")
        .attachment("application/pdf", "电子发票.pdf", b"%PDF-1.4 broken".as_slice())
        .attachment("application/x-unknown", "bill <b>.exe", b"MZ".as_slice())
        .write_to_string()
        .unwrap();
    let envelope = format!("EHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{}>\r\nDATA\r\n", world.address);
    talk(running.at, &[format!("{envelope}{message}\r\n.\r\nQUIT\r\n").as_bytes()]).await;
    let waiting = world.waiting().await.remove(0);
    let pool = ReaderPool::start(PoolSettings::new(VOUCH.into(), ChildSettings::default(), 1));
    let seen = preview::of(&world.test.app, &pool, &waiting, 100).await;
    assert!(seen.text.contains(&"Total 12.80 <b>".to_owned()), "{seen:?}");
    assert_eq!(seen.attached, ["电子发票.pdf", "bill <b>.exe"]);
    assert_eq!(preview::of(&world.test.app, &pool, &waiting, 1).await.text.len(), 1);
    // Looking keeps nothing: it still waits, as one document.
    assert_eq!(world.waiting().await.len(), 1);
    assert_eq!(world.capture(&waiting.capture_id).await.1.len(), 1);
    world.fresh.remove().await;
}
