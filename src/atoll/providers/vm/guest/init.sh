#!/bin/sh
# The first process of a machine's kernel: modules, the read-only system below a layer in memory, then agent.py.
/bin/mount -t proc proc /proc
/bin/mount -t sysfs sys /sys
/bin/mount -t devtmpfs dev /dev
/bin/echo "atoll phase kernel $(/bin/cut -d' ' -f1 /proc/uptime)"
while read -r module; do
  /bin/insmod "/modules/$module" || echo "module $module cannot be loaded"
done < /modules/order
# Disks are found in any order: each by its number on the bus.
disk() {
  tries=0
  while [ $tries -lt 400 ]; do
    for found in /sys/class/scsi_device/*:0:"$1":0/device/block/*; do
      if [ -b "/dev/${found##*/}" ]; then
        disk="/dev/${found##*/}"
        return
      fi
    done
    /bin/sleep 0.05
    tries=$((tries + 1))
  done
  echo "disk $1 does not come"
}
/bin/mkdir -p /system /layer /new
disk 0
/bin/mount -t squashfs -o ro "$disk" /system
/bin/mount -t tmpfs -o size=25%,mode=0755 layer /layer
/bin/mkdir -p /layer/upper /layer/work
/bin/mount -t overlay -o lowerdir=/system,upperdir=/layer/upper,workdir=/layer/work overlay /new
/bin/mkdir -p /new/opt/environment
disk 1
/bin/mount -t squashfs -o ro,nosuid,nodev "$disk" /new/opt/environment
/bin/ip link set lo up
/bin/ip addr add 10.0.2.15/24 dev eth0
/bin/ip link set eth0 up
/bin/mkdir -p /new/opt/atoll
/bin/cp /agent.py /late.py /ways.py /new/opt/atoll/
/bin/echo "atoll phase system $(/bin/cut -d' ' -f1 /proc/uptime)"
for place in proc sys dev; do
  /bin/mount --move "/$place" "/new/$place"
done
exec /bin/switch_root /new /usr/bin/python3 -I -S /opt/atoll/agent.py
