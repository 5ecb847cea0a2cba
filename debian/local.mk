# Debian packages, in deb/ of the build folder. DEB_VERSION=0.2.0+lab1 makes
# your own packages; a machine with 0.2.0 upgrades to this version.
DEBIAN = \
	debian/bridle-client.install \
	debian/bridle-discover.install \
	debian/bridle.README.Debian \
	debian/bridle.examples \
	debian/bridle.install \
	debian/bridle.postinst \
	debian/bridle.postrm \
	debian/bridle.prerm \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/rules \
	debian/source/format
deb: dist-gzip
	@$(SHELL) $(srcdir)/scripts/make-deb $(distdir).tar.gz $(DEB_VERSION)
EXTRA_DIST += $(DEBIAN) scripts/make-deb
.PHONY: deb
