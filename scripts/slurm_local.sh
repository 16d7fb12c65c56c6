#!/usr/bin/env bash
# A private one-machine Slurm for tests: munged, slurmctld and several slurmd on 127.0.0.1, all in one folder,
# on free ports, without systemd, without root, without cgroups, without a database.
#
#   slurm_local.sh fetch                                 Debian's packages, as below; about 3 MB
#   slurm_local.sh start DIR [--nodes N] [--cpus N] [--gpus N] [--kill-wait S]   about 0.3 s; prints nothing
#   . DIR/env                                            then sinfo, sbatch, squeue, scancel … speak to it
#   slurm_local.sh kill-node DIR nK | start-node DIR nK  a machine that dies, and comes back
#   slurm_local.sh stop-controller DIR | kill-controller DIR | start-controller DIR   slurmctld ends, or dies, and comes back;
#                                                        one that dies forgets some seconds
#   slurm_local.sh stop DIR                              ends its jobs and its daemons, and deletes DIR
#
# Slurm's programs: those on PATH, else SLURM_ROOT, else Debian's packages (3.4 MB) unpacked into
# ${SLURM_LOCAL_CACHE:-.slurm} by apt-get download, which needs no root.
#
# What took time to find out (Slurm 22.05):
# - the daemons must be called `slurmctld` and `slurmd`: under Debian's names `…-wlm` they drop every GRES in silence;
# - a GPU without File= is not counted, and File= of a plain file sets no CUDA_VISIBLE_DEVICES: it must be a
#   character device. A symlink to one will do, and the digits of its name are the GPU's index;
# - nodes of one machine need slurmd -N, NodeHostname and a Port each, and %n in every path;
# - SlurmdParameters=config_overrides: nodes may claim more cores than the machine has;
# - proctrack/linuxproc follows parents: what outlives its parent escapes KillWait's SIGKILL (proctrack/cgroup, which
#   clusters have, kills it with the job). `stop` and `kill-node` find such processes by their environment;
# - MinJobAge is how long a job that ended can still be asked for; without slurmdbd `sacct` only says that
#   accounting is disabled, so programs under test must live on squeue/scontrol show job.
set -euo pipefail

die() { echo "slurm_local: $*" >&2; exit 1; }

packages='libhwloc15 liblua5.1-0 libmunge2 munge slurm-wlm-basic-plugins slurm-client slurmd slurmctld'

# Unpacks Debian's packages into $1, without root; silent when they are there.
fetch() {
    [ ! -e "$1/complete" ] || return 0
    # shellcheck disable=SC2086
    "$(dirname "$0")/fetch_debian.sh" "$1" $packages
    for daemon in slurmctld slurmd slurmstepd; do ln -sf "$daemon-wlm" "$1/usr/sbin/$daemon"; done
    touch "$1/complete"
}

# Where Slurm is: empty for the one that is installed.
slurm_root() {
    if [ -z "${SLURM_ROOT:-}" ] && command -v slurmctld munged sbatch > /dev/null; then return; fi
    local root=${SLURM_ROOT:-${SLURM_LOCAL_CACHE:-.slurm}}
    fetch "$root" >&2
    (cd "$root" && pwd)
}

free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))
PY
}

start_node() { # DIR NODE
    slurmd -f "$1/slurm.conf" -N "$2" ${STEPD:+-d "$STEPD"} < /dev/null > "$1/$2.out" 2>&1 \
        || die "slurmd $2: $(cat "$1/$2.out")"
}

# Ends slurmctld in order, with all it knows written down.
stop_controller() { # DIR
    local pid; pid=$(cat "$1/slurmctld.pid")
    kill -TERM "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
}

start_controller() { # DIR
    slurmctld -f "$1/slurm.conf" || die "$(tail -n 5 "$1/slurmctld.log")"
}

start() {
    local dir=$1 nodes=3 cpus=2 gpus=0 kill_wait=30; shift
    while [ $# -gt 0 ]; do case $1 in
        --nodes) nodes=$2 ;; --cpus) cpus=$2 ;; --gpus) gpus=$2 ;; --kill-wait) kill_wait=$2 ;;
        *) die "what is $1?" ;; esac; shift 2; done
    [ ! -e "$dir/slurm.conf" ] || die "$dir has a Slurm already"
    mkdir -p "$dir"/{munge,state,gpu}; dir=$(cd "$dir" && pwd); chmod 755 "$dir/munge"

    local root lib me host ports; root=$(slurm_root); me=$(id -un); host=$(uname -n); host=${host%%.*}
    {
        echo "export SLURM_CONF=$dir/slurm.conf"
        if [ -n "$root" ]; then
            lib=$(dirname "$(find "$root/usr/lib" -name libslurmfull.so)")
            echo "export PATH=$root/usr/bin:$root/usr/sbin:\$PATH"
            echo "export LD_LIBRARY_PATH=${lib%/*}:$lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
            echo "export STEPD=$root/usr/sbin/slurmstepd"
        fi
    } > "$dir/env"
    # shellcheck disable=SC1091
    . "$dir/env"
    read -ra ports <<< "$(free_ports $((nodes + 1)))"

    cat > "$dir/slurm.conf" <<CONF
ClusterName=local$$
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge/socket
${root:+PluginDir=$lib}
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/completed.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=$kill_wait
MinJobAge=600
GresTypes=gpu
CONF
    : > "$dir/gres.conf"
    local index devices=(null zero full random urandom)
    [ "$gpus" -le ${#devices[@]} ] || die "at most ${#devices[@]} GPUs a node"
    for ((index = 0; index < gpus; index++)); do ln -s "/dev/${devices[index]}" "$dir/gpu/nvidia$index"; done
    for ((index = 1; index <= nodes; index++)); do
        echo "NodeName=n$index NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[index]} CPUs=$cpus RealMemory=4096$(
            [ "$gpus" -eq 0 ] || echo " Gres=gpu:$gpus")" >> "$dir/slurm.conf"
        [ "$gpus" -eq 0 ] || echo "NodeName=n$index Name=gpu File=$dir/gpu/nvidia[0-$((gpus - 1))]" >> "$dir/gres.conf"
    done
    cat >> "$dir/slurm.conf" <<CONF
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
PartitionName=spot Nodes=ALL MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
CONF

    (umask 077 && head -c 128 /dev/urandom > "$dir/munge/key")
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" ${MUNGE_FORCE:+--force} || die 'munged does not start'
    start_controller "$dir"
    for ((index = 1; index <= nodes; index++)); do
        mkdir -p "$dir/spool.n$index"; start_node "$dir" "n$index"
    done
    for ((index = 0; index < 200; index++)); do
        [ "$(sinfo -h -o %T 2> /dev/null | sort -u)" != idle ] || return 0
        sleep 0.05
    done
    sinfo -N -o '%N %T %E' >&2; die "its nodes are not idle after 10 s; see $dir/*.log"
}

# What a job has started on a node of a cluster, also what is no child of it any more.
started_by_jobs() { # CLUSTER NODE
    grep -lsxzF -- "SLURM_CLUSTER_NAME=$1" /proc/[0-9]*/environ | while read -r file; do
        ! grep -qsxzF -- "SLURMD_NODENAME=$2" "$file" || echo "$file"
    done | cut -d/ -f3
}

# Kills a node as a machine dies: its slurmd, its slurmstepds (both write to its log), and all that its jobs started.
kill_node() { # DIR NODE
    local cluster pids; cluster=$(sed -n 's/^ClusterName=//p' "$1/slurm.conf")
    # Until no new one appears.
    while mapfile -t pids < <(
            find /proc/[0-9]*/fd -lname "$1/slurmd.$2.log" 2> /dev/null | cut -d/ -f3 | sort -u || true
            started_by_jobs "$cluster" "$2" || true) && [ ${#pids[@]} -gt 0 ]; do
        kill -KILL "${pids[@]}" 2> /dev/null || true
        sleep 0.02
    done
    rm -f "$1/slurmd.$2.pid"
}

# Kills the process that a file names: there is nothing to keep, and an orderly end takes slurmctld 5 s.
end() { # FILE
    local pid; [ -e "$1" ] || return 0
    pid=$(cat "$1"); rm "$1"; kill -KILL "$pid" 2> /dev/null || true
}

stop() {
    local dir=$1 node
    # First the one that would start further jobs.
    end "$dir/slurmctld.pid"
    for node in "$dir"/spool.*; do kill_node "$dir" "${node##*/spool.}"; done
    end "$dir/munge/pid"
    rm -rf "$dir"
}

if [ "${1:-}" = fetch ]; then fetch "${SLURM_LOCAL_CACHE:-.slurm}" >&2; exit; fi
[ $# -ge 2 ] || die "usage: $0 fetch, start|stop DIR, start-node|kill-node DIR NODE, or start-controller|stop-controller|kill-controller DIR"
command=$1 dir=$2; shift 2
# shellcheck disable=SC1091
[ "$command" = start ] || { [ -e "$dir/env" ] && dir=$(cd "$dir" && pwd) && . "$dir/env"; } || exit 0
case $command in
    start) start "$dir" "$@" ;;
    stop) stop "$dir" ;;
    start-node) start_node "$dir" "$1" ;;
    kill-node) kill_node "$dir" "$1" ;;
    start-controller) start_controller "$dir" ;;
    kill-controller) end "$dir/slurmctld.pid" ;;
    stop-controller) stop_controller "$dir" ;;
    *) die "what is $command?" ;;
esac
