//! Reads documents in sandboxed child processes: protocol, sandbox, pool; the roles `parse` and `see`; OCR engines.

pub mod ocr;
