//! Escape attempts from inside a closed sandbox: `vouch reader --probe NAME`. Used by the process tests and by
//! `doctor`; each runs in its own process because most end with the kernel killing it.

use std::{
    fs,
    io::Write as _,
    net::{TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    process::{Command, ExitCode},
};

use super::{
    child::{self, ChildSettings},
    fonts,
    protocol::Role,
};
use crate::domain::field::text_enum;

text_enum! {
    /// An attempt to leave the sandbox.
    Probe {
        /// Nothing forbidden: shows that a closed child can still work and answer.
        Nothing = "nothing",
        /// Read a file everyone may read.
        ReadFile = "read_file",
        /// Make a file.
        CreateFile = "create_file",
        /// List a directory.
        ListDirectory = "list_directory",
        /// Look at a file's size.
        StatFile = "stat_file",
        /// Remove a file.
        RemoveFile = "remove_file",
        /// Connect over TCP.
        TcpSocket = "tcp_socket",
        /// Send a datagram.
        UdpSocket = "udp_socket",
        /// Connect to a socket in the file system.
        UnixSocket = "unix_socket",
        /// Run another program.
        RunProgram = "run_program",
        /// Start a thread.
        StartThread = "start_thread",
        /// Take more memory than allowed.
        TakeMemory = "take_memory",
        /// Raise a resource limit again.
        RaiseLimit = "raise_limit",
        /// Signal the service.
        SignalParent = "signal_parent",
        /// Trace the service.
        TraceParent = "trace_parent",
        /// Read the service's environment.
        ReadParentEnvironment = "read_parent_environment",
        /// See a variable of the service's environment in its own.
        InheritEnvironment = "inherit_environment",
        /// Use a descriptor the service had open.
        InheritDescriptor = "inherit_descriptor",
    }
}

/// Exit code of an attempt that succeeded: the sandbox has a hole.
pub const EXIT_ESCAPED: u8 = 99;
/// More than the address space limit by default.
const TOO_MUCH_MEMORY: usize = 2 * 1024 * 1024 * 1024;
/// A variable tests set in the parent; no child may see it.
pub const CANARY_VARIABLE: &str = "VOUCH_CANARY";

/// Enters the sandbox as any child does, makes the attempt and says on stdout what came of it.
pub fn run(probe: Probe, settings: &ChildSettings) -> ExitCode {
    let parent = nix::unistd::getppid();
    if let Err(detail) = child::prepare(Role::Parse, settings) {
        eprintln!("{detail}");
        return ExitCode::from(child::EXIT_CANNOT_START);
    }
    let escaped = attempt(probe, parent);
    let word = if escaped { "escaped" } else { "refused" };
    let _ = writeln!(std::io::stdout(), "{probe} {word}");
    if escaped { ExitCode::from(EXIT_ESCAPED) } else { ExitCode::SUCCESS }
}

fn attempt(probe: Probe, parent: nix::unistd::Pid) -> bool {
    match probe {
        Probe::Nothing => false,
        Probe::ReadFile => fs::read("/etc/passwd").is_ok(),
        Probe::CreateFile => fs::write("/tmp/vouch-reader-probe", b"x").is_ok(),
        Probe::ListDirectory => fs::read_dir("/").is_ok(),
        Probe::StatFile => fs::metadata("/etc/passwd").is_ok(),
        Probe::RemoveFile => fs::remove_file("/tmp/vouch-reader-probe-absent").is_ok(),
        Probe::TcpSocket => TcpStream::connect("127.0.0.1:1").is_ok(),
        Probe::UdpSocket => UdpSocket::bind("127.0.0.1:0").is_ok(),
        Probe::UnixSocket => UnixStream::pair().is_ok(),
        Probe::RunProgram => Command::new("/bin/true").status().is_ok(),
        Probe::StartThread => std::thread::Builder::new().spawn(|| ()).is_ok(),
        Probe::TakeMemory => {
            let mut bytes: Vec<u8> = Vec::new();
            let taken = bytes.try_reserve_exact(TOO_MUCH_MEMORY).is_ok();
            std::hint::black_box(bytes.as_ptr());
            taken
        }
        Probe::RaiseLimit => {
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_AS, u64::MAX, u64::MAX).is_ok()
        }
        Probe::SignalParent => nix::sys::signal::kill(parent, None).is_ok(),
        Probe::TraceParent => nix::sys::ptrace::attach(parent).is_ok(),
        Probe::ReadParentEnvironment => fs::read(format!("/proc/{parent}/environ")).is_ok(),
        Probe::InheritEnvironment => std::env::var_os(CANARY_VARIABLE).is_some(),
        // 0, 1, 2 and the fonts this child opened itself aside, every number must answer "bad descriptor".
        Probe::InheritDescriptor => {
            let own = fonts::descriptors();
            (3..64).filter(|descriptor| !own.contains(descriptor)).any(is_open)
        }
    }
}

/// Closing is allowed in the sandbox and answers whether there was anything to close.
fn is_open(descriptor: i32) -> bool {
    nix::unistd::close(descriptor).is_ok()
}
