# The walk of one machine's life. Each step says on the console how it ended; the first that fails ends
# the walk. Run by busybox as the first process.
export PATH=/bin HOME=/root
NODE=192.0.2.2
ROOT=/sys/fs/cgroup/pintle
HUGE_PAGES=8

prepare() {
    /bin/busybox --install -s /bin
    mkdir -p /proc /sys /dev /run /tmp /root /etc /var/lib
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t tmpfs tmpfs /run
    chmod 1777 /tmp
    echo $HUGE_PAGES > /proc/sys/vm/nr_hugepages
    : > /etc/resolv.conf
    echo '127.0.0.1 localhost' > /etc/hosts
    hostname unified
    for module in /guest/modules/*.ko; do
        insmod "$module" || return 1
    done
    mkdir -p /var/lib/pintle
    mount -t ext4 /dev/vda /var/lib/pintle || return 1
    ip link set lo up &&
        ip link add lan0 type dummy &&
        ip address add $NODE/24 dev lan0 &&
        ip link set lan0 up &&
        ip route add default via 192.0.2.1 dev lan0 || return 1
    links=$(ls /sys/class/net)
}

# Looks every half second, for a minute, until the command prints what is expected.
await() {
    expected=$1
    shift
    for _ in $(seq 120); do
        seen=$("$@" 2>&1)
        [ "$seen" = "$expected" ] && return 0
        sleep 0.5
    done
    echo "expected $expected of $*, last seen: $seen"
    return 1
}

field() {
    kubectl get "$1" -o "jsonpath={$2}"
}

# The folder of a pod's container in the one hierarchy.
cgroup_of() {
    id=$(field "pod/$1" '.status.containerStatuses[0].containerID')
    find $ROOT -type d -name "*${id##*/}*" | head -n 1
}

# Every process of the cluster's groups.
processes() {
    [ ! -d $ROOT ] || find $ROOT -name cgroup.procs -exec cat {} +
}

unified() {
    [ "$(grep -c cgroup /proc/mounts)" = 1 ] && grep -q '^cgroup2 /sys/fs/cgroup cgroup2' /proc/mounts
}

check() {
    pintle check
}

up() {
    mkdir -p /var/lib/pintle/kubelet && cp /guest/config.yaml /var/lib/pintle/kubelet/ && pintle up
}

load() {
    pintle image load /guest/busybox.tar && pintle image load /guest/k8s-demo.tar
}

node_ready() {
    await True field node/unified '.status.conditions[?(@.type=="Ready")].status'
}

pod_running() {
    kubectl create -f /guest/pods.yml &&
        kubectl wait --for=condition=Ready --timeout=60s pod/hello &&
        await Running field pod/hello .status.phase
}

# Not wget: resolving names, even of addresses, crashes in Debian's static busybox without its libraries.
fetch() {
    printf 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" | nc -w 5 "$1" "$2" | tail -n 1
}

node_port() {
    await 'Hello World!' fetch $NODE 31001
}

exec_in_pod() {
    await 3000 kubectl exec hello -- sh -c 'echo $PORT'
}

# A node for the kernel's log may be made and not be used; the harmless ones may.
devices() {
    await made kubectl exec hello -- sh -c 'mknod /dev/log c 1 11 && echo made' || return 1
    said=$(kubectl exec hello -- sh -c 'echo x > /dev/log' 2>&1)
    case $said in *'Operation not permitted'*) ;; *) echo "the kernel's log: $said" && return 1 ;; esac
    await 1 kubectl exec hello -- sh -c 'echo x > /dev/null && head -c 1 /dev/zero | wc -c'
}

# The container's own limits, and its pod's around them.
limits() {
    group=$(cgroup_of hello)
    [ -n "$group" ] || return 1
    await 67108864 cat "$group/memory.max" && await '50000 100000' cat "$group/cpu.max" &&
        await 1 cat "$group/memory.oom.group" &&
        await 67108864 cat "${group%/*}/memory.max" && await 4096 cat "${group%/*}/pids.max"
}

# Set aside by the kernel, counted by the node, bounded for container and pod; what is bounded is not taken.
huge_pages() {
    await 16Mi field node/unified '.status.capacity.hugepages-2Mi' &&
        await 16Mi field node/unified '.status.allocatable.hugepages-2Mi' &&
        kubectl create -f /guest/huge.yml &&
        kubectl wait --for=condition=Ready --timeout=60s pod/huge || return 1
    huge=$(cgroup_of huge)
    [ -n "$huge" ] || return 1
    await 4194304 cat "$huge/hugetlb.2MB.max" && await 4194304 cat "${huge%/*}/hugetlb.2MB.max" &&
        await hugetlbfs kubectl exec huge -- sh -c "grep ' /huge ' /proc/mounts | cut -d ' ' -f 3" || return 1
    if kubectl exec huge -- busybox fallocate -l 6291456 /huge/more; then
        echo 'more than the limit was given' && return 1
    fi
    kubectl exec huge -- rm -f /huge/more && await $HUGE_PAGES free_huge_pages &&
        kubectl exec huge -- busybox fallocate -l 4194304 /huge/enough &&
        await $((HUGE_PAGES - 2)) free_huge_pages &&
        kubectl delete pod huge --grace-period=1 && await $HUGE_PAGES free_huge_pages
}

free_huge_pages() {
    awk '/^HugePages_Free/{ print $2 }' /proc/meminfo
}

# In place: the limit moves, the process stays.
resize() {
    pid=$(head -n 1 "$group/cgroup.procs")
    kubectl get pod hello -o json | sed 's/"memory": "64Mi"/"memory": "80Mi"/' |
        kubectl replace --raw /api/v1/namespaces/default/pods/hello/resize -f - > /dev/null &&
        await 83886080 cat "$group/memory.max" && await 83886080 cat "${group%/*}/memory.max" &&
        await "$pid" head -n 1 "$group/cgroup.procs"
}

# One process of several eats; the container ends as a whole.
out_of_memory() {
    await OOMKilled field pod/glutton '.status.containerStatuses[0].state.terminated.reason'
}

# What is left to eat until less than the threshold is: 100 MiB more than that.
excess_mib() {
    used=$(kubectl get --raw /api/v1/nodes/unified/proxy/metrics/resource |
        awk '/^node_memory_working_set_bytes /{ printf "%d", $2 / 1048576 }')
    all=$(awk '/^MemTotal/{ printf "%d", $2 / 1024 }' /proc/meminfo)
    echo $((all - used - 500 + 100))
}

# Who uses more than it asked for goes first, however little another is worth.
eviction() {
    excess=$(excess_mib)
    sed "s/EXCESS/$excess/" /guest/eviction.yml | kubectl create -f - &&
        await Evicted field pod/greedy .status.reason || return 1
    said=$(field pod/greedy .status.message)
    case $said in
        'The node was low on resource: memory. Threshold quantity: 500Mi, available: '*'Container main was using '*', request is 1Mi, has larger consumption of memory. ') ;;
        *) echo "$said" && return 1 ;;
    esac
    await Running field pod/modest .status.phase &&
        await True field node/unified '.status.conditions[?(@.type=="MemoryPressure")].status' &&
        kubectl delete pod modest greedy --grace-period=1
}

restart() {
    for pid in $(cat "$(cgroup_of hello)/cgroup.procs"); do
        kill -9 "$pid" || return 1
    done
    await 1 field pod/hello '.status.containerStatuses[0].restartCount' && node_port
}

# What must be found again: a file of the pod's volume, and who it is.
write() {
    kubectl exec hello -- sh -c 'echo kept > /kept/word' &&
        field pod/hello .metadata.uid > /var/lib/pintle/uid &&
        field pod/hello '.status.containerStatuses[0].restartCount' > /var/lib/pintle/restarts
}

# As a power cut, but for what the kernel had not written yet: nobody says goodbye.
power_fails() {
    sync
}

# The same pod runs anew, once, with its volume; the one that had ended has not run again.
survived() {
    restarts=$(($(cat /var/lib/pintle/restarts) + 1))
    await $restarts field pod/hello '.status.containerStatuses[0].restartCount' &&
        kubectl wait --for=condition=Ready --timeout=60s pod/hello &&
        await "$(cat /var/lib/pintle/uid)" field pod/hello .metadata.uid &&
        await kept kubectl exec hello -- cat /kept/word &&
        await Failed field pod/glutton .status.phase &&
        await OOMKilled field pod/glutton '.status.containerStatuses[0].state.terminated.reason'
}

down() {
    pintle down && await '' processes
}

destroy() {
    pintle destroy --yes || return 1
    [ ! -e $ROOT ] && ! grep overlay /proc/mounts && [ "$(ls /sys/class/net)" = "$links" ]
}

# What one wants to see when a step failed.
explain() {
    ps -o pid,ppid,stat,args | grep -v ' \['
    dmesg | tail -n 20
    ls /sys/class/net
    [ -d $ROOT ] || return
    find $ROOT -type d
    tail -n 60 /var/lib/pintle/logs/server.log
    timeout 20 kubectl get pods -o wide
    timeout 20 kubectl get events
}

/bin/busybox mkdir -p /proc
/bin/busybox mount -t proc proc /proc
case $(/bin/busybox cat /proc/cmdline) in
*walk=after*) steps='prepare up node_ready survived node_port exec_in_pod down destroy' ;;
*) steps='prepare unified check up load node_ready pod_running node_port exec_in_pod devices limits huge_pages
    resize out_of_memory eviction restart write power_fails' ;;
esac
for step in $steps; do
    if $step; then
        echo "VM-STEP $step ok $(cut -d ' ' -f 1 /proc/uptime)"
    else
        explain
        echo "VM-STEP $step failed"
        poweroff -f
    fi
done
echo VM-OK
poweroff -f
