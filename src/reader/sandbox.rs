//! Closes a child process before it meets a hostile byte.
//!
//! Two steps, because an engine must read its weights in between: [`harden`] (descriptors, resource limits, no new
//! privileges, death with the parent) and [`close`] (no processes, Landlock without a single path, seccomp
//! allow-list that kills). Neither needs privilege or namespaces, so a plain container or NAS is enough.
//! Resource limits and seccomp are required: without them the child refuses to work. Landlock depends on the
//! kernel; seccomp alone already leaves no system call that takes a path, and the posture says what is in force.
//!
//! Threads: everything here is single-threaded by configuration (`OMP_THREAD_LIMIT=1`, one rten worker). Threads an
//! engine starts while loading are covered by seccomp (`TSYNC`); after [`close`] no thread or process can be made.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetStatus, Scope,
};
use nix::{
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::getppid,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};

/// What a child may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// Address space in bytes. 1 GiB: a 100-megapixel picture is 300 MB decoded and 300 MB turned.
    pub memory_bytes: u64,
    /// Processor seconds, including loading.
    pub cpu_seconds: u64,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self { memory_bytes: 1024 * 1024 * 1024, cpu_seconds: 60 }
    }
}

/// Descriptors: 0, 1, 2 and what loading opens one after the other.
const MAX_OPEN_FILES: u64 = 16;
/// The main thread's stack; set before it grows.
const STACK_BYTES: u64 = 8 * 1024 * 1024;
/// Seconds between the soft limit (SIGXCPU, which tells a timeout from a crash) and the hard one.
const CPU_GRACE_SECONDS: u64 = 5;
/// Descriptors looked at when the kernel has no `close_range` (before 5.9).
const MAX_DESCRIPTOR: i32 = 4096;

/// What is really enforced in a child; shown by `doctor` and `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// Memory, CPU, file size, processes, descriptors. Always true: a child without them does not start.
    pub resource_limits: bool,
    /// Always true: a child without it does not start.
    pub seccomp: bool,
    /// Landlock: the ABI in force, 0 when the kernel has none.
    pub landlock_abi: u32,
    /// Whether Landlock enforces everything this version of Vouch asks for.
    pub landlock_full: bool,
}

/// The sandbox could not be set up; the child must not read anything.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A kernel facility refused.
    #[error("the sandbox cannot be closed: {step}: {cause}")]
    Refused {
        /// What was being set.
        step: &'static str,
        /// The kernel's or crate's answer.
        cause: String,
    },
    /// The service died while this child was starting.
    #[error("the service is gone")]
    Orphaned,
}

fn refused<E: std::fmt::Display>(step: &'static str) -> impl FnOnce(E) -> SandboxError {
    move |cause| SandboxError::Refused { step, cause: cause.to_string() }
}

/// First step, before anything is loaded.
pub fn harden(ceilings: &Ceilings) -> Result<(), SandboxError> {
    let parent = getppid();
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused("parent death signal"))?;
    // The parent may have died before the line above; then nobody would ever kill this child.
    if getppid() != parent {
        return Err(SandboxError::Orphaned);
    }
    prctl::set_dumpable(false).map_err(refused("non-dumpable"))?;
    prctl::set_no_new_privs().map_err(refused("no new privileges"))?;
    descriptors::close_all_but_stdio();
    let cpu_hard = ceilings.cpu_seconds + CPU_GRACE_SECONDS;
    for (step, resource, soft, hard) in [
        ("memory limit", Resource::RLIMIT_AS, ceilings.memory_bytes, ceilings.memory_bytes),
        ("processor limit", Resource::RLIMIT_CPU, ceilings.cpu_seconds, cpu_hard),
        ("file size limit", Resource::RLIMIT_FSIZE, 0, 0),
        ("descriptor limit", Resource::RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES),
        ("core dump limit", Resource::RLIMIT_CORE, 0, 0),
        ("stack limit", Resource::RLIMIT_STACK, STACK_BYTES, STACK_BYTES),
    ] {
        setrlimit(resource, soft, hard).map_err(refused(step))?;
    }
    Ok(())
}

/// Second step, after everything is loaded: from here on only reading stdin, writing stdout and computing are left.
pub fn close() -> Result<Posture, SandboxError> {
    setrlimit(Resource::RLIMIT_NPROC, 0, 0).map_err(refused("process limit"))?;
    let (landlock_abi, landlock_full) = restrict_paths()?;
    restrict_system_calls()?;
    Ok(Posture { resource_limits: true, seccomp: true, landlock_abi, landlock_full })
}

/// The newest Landlock rights this version of Vouch knows of; older kernels enforce what they can.
const LANDLOCK_ABI: ABI = ABI::V7;

fn restrict_paths() -> Result<(u32, bool), SandboxError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK_ABI))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(LANDLOCK_ABI)))
        .and_then(|rules| rules.scope(Scope::from_all(LANDLOCK_ABI)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(refused("Landlock"))?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u32,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    };
    Ok((abi, status.ruleset == RulesetStatus::FullyEnforced))
}

/// System calls that take no path, make no process and reach nothing outside. Learned with `strace` over both
/// engines; each beyond reading, writing and memory says who needs it.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    // rayon and libgomp ask how many processors there are.
    libc::SYS_sched_getaffinity,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    // Answered with EPERM by `SOFT_REFUSED`: glibc's stdio looks at a descriptor before its first write to stderr.
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_ioctl,
    libc::SYS_fcntl,
];

/// System calls the C library makes in passing and survives being refused. They take paths or reach devices, so
/// they are refused rather than allowed; killing would hide the engine's own error message.
const SOFT_REFUSED: &[libc::c_long] = &[libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_ioctl, libc::SYS_fcntl];

fn restrict_system_calls() -> Result<(), SandboxError> {
    let step = "seccomp";
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let not_executable =
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    let rule = SeccompRule::new(vec![not_executable.map_err(refused(step))?]).map_err(refused(step))?;
    allowed.insert(libc::SYS_mmap, vec![rule.clone()]);
    allowed.insert(libc::SYS_mprotect, vec![rule]);
    // `abort()` signals its own process and nobody else.
    let myself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(std::process::id()));
    let rule = SeccompRule::new(vec![myself.map_err(refused(step))?]).map_err(refused(step))?;
    allowed.insert(libc::SYS_tgkill, vec![rule]);

    let soft = SOFT_REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // The kernel runs both filters and takes the stricter answer: kill over error over allow.
    install(soft, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.unsigned_abs()))?;
    install(allowed, SeccompAction::KillProcess, SeccompAction::Allow)
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<(), SandboxError> {
    let step = "seccomp";
    let architecture = std::env::consts::ARCH.try_into().map_err(refused(step))?;
    let filter = SeccompFilter::new(rules, otherwise, matched, architecture).map_err(refused(step))?;
    let program: BpfProgram = filter.try_into().map_err(refused(step))?;
    seccompiler::apply_filter_all_threads(&program).map_err(refused(step))
}

mod descriptors {
    #![expect(unsafe_code, reason = "closing descriptors this process does not own as values")]

    use super::MAX_DESCRIPTOR;

    /// Closes every descriptor but stdin, stdout and stderr.
    pub(super) fn close_all_but_stdio() {
        // SAFETY: runs first thing in a fresh single-threaded process; no value owns a descriptor above 2 yet.
        let done = unsafe { libc::close_range(3, libc::c_uint::MAX, 0) } == 0;
        if !done {
            for descriptor in 3..MAX_DESCRIPTOR {
                // SAFETY: as above; closing a number that is not open only answers EBADF.
                unsafe { libc::close(descriptor) };
            }
        }
    }
}
