# The targets people type. The build itself is described in meson.build; this only sets up its folders and calls ninja.
.PHONY: all run deb container test test-full conformance lint asan tsan fuzz fuzz-coverage bench clean

all: build/build.ninja
	@ninja -C build --quiet

# Installs what the build needs where it is missing, builds, and serves http://127.0.0.1:4200.
run: build/build.ninja
	@ninja -C build --quiet
	@exec build/orion start

# The Debian package, build/orion_VERSION_amd64.deb. OPTIONS="-Dui=disabled": options of meson_options.txt.
deb:
	@tools/setup deb
	@tools/make_deb $(OPTIONS)

# The image `orion`, with podman, buildah or docker. ARGS: for it, as "--build-arg BASE=localhost/debian".
container:
	@tools/container $(ARGS)

# Every test; SUITE="api cli" those suites, K=flows the tests with that in their names.
test:
	@tools/setup test
	@tools/run_tests $(if $(K),-k "$(K)") $(SUITE)

# With the long forms: 50 flows of the client instead of 10, a minute for each fuzz target, the container.
test-full:
	@tools/setup test
	@tools/setup container
	@ORION_TEST_FULL=1 tools/run_tests $(if $(K),-k "$(K)") $(SUITE)

# The same thousands of requests to the reference and to ours. ARGS="--only deployments", "--seed 7", "--long": see tests/conformance/README.md.
conformance: all
	@tools/setup test
	@.venv/bin/python -m tests.conformance.run --report build/conformance.txt $(ARGS)

lint:
	@tools/setup lint
	@tools/run_lint

asan:
	@tools/setup lint
	@tools/run_lint asan

tsan:
	@tools/setup tsan
	@tools/run_lint tsan

# What strangers can send, for TIME seconds each. TARGET=fuzz_json: that one alone.
fuzz:
	@tools/setup fuzz
	@tools/run_fuzz $(or $(TIME),60) $(TARGET)

# Which lines of src/ the fuzz targets reach with their seeds and with what earlier runs have kept.
fuzz-coverage:
	@tools/setup fuzz
	@tools/fuzz_coverage

# The load of wrk on both servers. WHAT=reads, writes, scaling, report, …: another program of bench/; ARGS: its arguments.
bench: all
	@tools/setup bench
	@.venv/bin/python -m bench.$(or $(WHAT),bench) $(ARGS)

clean:
	rm -rf build build-asan build-gcc build-clang build-fuzz build-coverage build-tsan

build/build.ninja:
	@tools/setup build
	@echo "Building in build/; the first time it takes a minute or two…"
	@log=$$(meson setup build 2>&1) || { echo "$$log"; exit 1; }
