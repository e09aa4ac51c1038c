# What the programs that people download are linked against. Sourced by bash, after setup.sh.
#
# Linked here as usual, a program asks for the glibc of this machine (2.36 on Debian 12) and starts on
# nothing older. Linked against stubs of glibc 2.28, which name each symbol as that release had it, the
# same objects start there too. zig carries such stubs for every release of glibc; a program of one line
# makes it write them out. The rest of the sysroot is this machine's own: GCC's start files, and
# libstdc++ and libfcgi as archives, so that no host needs to have them.
# Two things are younger than the stubs: DT_RELR (2.36), so "-z nopack-relative-relocs", and
# __libc_single_threaded (2.32), which libstdc++.a asks for: 0 is the careful answer.

glibc_floor=2.28

# make_sysroot DIRECTORY ZIG_PYTHON ARCH: fills a directory.
make_sysroot() {
    local sysroot=$1 python=$2 arch=$3 gcc stubs=$1/stubs file name
    local lib=$sysroot/usr/lib/$arch-linux-gnu
    gcc=$(dirname "$(gcc -print-libgcc-file-name)")
    mkdir -p "$stubs" "$lib" "$sysroot/usr/lib/gcc/$arch-linux-gnu/${gcc##*/}"
    echo 'int main(void) { return 0; }' > "$stubs/empty.c"
    ZIG_GLOBAL_CACHE_DIR=$stubs/cache ZIG_LOCAL_CACHE_DIR=$stubs/local "$python" -m ziglang cc \
        -target "$arch-linux-gnu.$glibc_floor" -pie -fPIE "$stubs/empty.c" -o "$stubs/empty" \
        -lm -lpthread -ldl -lrt -lutil >&2
    for name in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libld.so.2 \
        libc_nonshared.a Scrt1.o; do
        file=$(find "$stubs/cache" -name "$name" -print -quit)
        [ -n "$file" ] || die "zig made no $name for glibc $glibc_floor"
        cp "$file" "$lib/"
    done
    for name in m.so.6 pthread.so.0 dl.so.2 rt.so.1 util.so.1; do ln -s "lib$name" "$lib/lib${name%%.*}.so"; done
    echo 'GROUP ( libc.so.6 libc_nonshared.a AS_NEEDED ( libld.so.2 ) )' > "$lib/libc.so"
    cp "/usr/lib/$arch-linux-gnu/"{crti.o,crtn.o,libfcgi.a} "$lib/"
    lib=$sysroot/usr/lib/gcc/$arch-linux-gnu/${gcc##*/}
    # clang takes a directory for GCC's when crtbegin.o is in it.
    cp "$gcc/"{crtbegin.o,crtbeginS.o,crtendS.o,libgcc.a,libgcc_eh.a,libstdc++.a} "$lib/"
    cp "/lib/$arch-linux-gnu/libgcc_s.so.1" "$lib/"
    echo 'GROUP ( libgcc_s.so.1 -lgcc )' > "$lib/libgcc_s.so"
    echo 'char __libc_single_threaded = 0;' > "$stubs/single.c"
    clang -c -O2 -fPIC "$stubs/single.c" -o "$sysroot/single.o"
    rm -rf "$stubs"
}

# build_programs SOURCE SYSROOT VERSION: both programs, into SOURCE/.build; prints their directory. No
# byte of them tells in which directory it was done.
build_programs() (
    cd "$1"
    echo "#define L402_VERSION \"$3\"" > Sources/CProgram/release.h
    local options=(-c release --static-swift-stdlib --disable-local-rpath --force-resolved-versions
        -Xswiftc -file-prefix-map -Xswiftc "$1=/l402-fcgi" -Xcc "-ffile-prefix-map=$1=/l402-fcgi"
        -Xswiftc -Xclang-linker -Xswiftc "--sysroot=$2") word product bin
    for word in "$2/single.o" --allow-shlib-undefined --build-id=none -z now -z nopack-relative-relocs; do
        options+=(-Xlinker "$word")
    done
    for product in l402-fcgi l402; do swift build "${options[@]}" --product "$product" >&2; done
    bin=$(swift build "${options[@]}" --show-bin-path)
    # Hashes of the modules, which tell the directory, and names of tools. Nothing reads them in a program.
    for product in l402-fcgi l402; do
        llvm-objcopy -R .swift_modhash -R .comment -R .note.stapsdt "$bin/$product"
    done
    echo "$bin"
)
