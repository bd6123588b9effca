"""Websites that many share: social networks, directories, hosters, shorteners. An address there is not a company's own.

Hosters that the public suffix list knows, such as github.io, need no entry: each name below them is one of its own.
"""

from typing import Final

from leadflood.kernel.domain_parking import is_parking_host
from leadflood.kernel.email_domains import with_parents

_SHARED: Final = frozenset({
    # social networks, and platforms for what people publish
    "facebook.com", "fb.com", "fb.me", "twitter.com", "x.com", "linkedin.com", "lnkd.in", "instagram.com",
    "youtube.com", "youtu.be", "tiktok.com", "pinterest.com", "xing.com", "threads.net", "threads.com", "bsky.app",
    "mastodon.social", "vimeo.com", "vk.com", "ok.ru", "t.me", "telegram.me", "medium.com", "substack.com",
    "reddit.com", "tumblr.com", "twitch.tv", "flickr.com", "behance.net", "dribbble.com", "soundcloud.com",
    "spotify.com", "snapchat.com", "discord.gg", "discord.com", "wa.me", "whatsapp.com", "weibo.com", "wechat.com",
    "quora.com", "stackoverflow.com", "patreon.com", "github.com", "gitlab.com", "bitbucket.org", "about.me",
    # directories, reviews and market places
    "crunchbase.com", "glassdoor.com", "kununu.com", "trustpilot.com", "g2.com", "capterra.com", "yelp.com",
    "tripadvisor.com", "angel.co", "wellfound.com", "producthunt.com", "yellowpages.com", "gelbeseiten.de",
    "northdata.com", "northdata.de", "apollo.io", "zoominfo.com", "amazon.com", "amazon.de", "amazon.co.uk",
    "ebay.com", "ebay.de", "ebay.co.uk", "etsy.com", "alibaba.com", "upwork.com", "fiverr.com", "indeed.com",
    "eventbrite.com", "meetup.com", "wikipedia.org", "imdb.com",
    # pages, files and forms that a hoster keeps under its own name
    "google.com", "goo.gl", "g.page", "g.co", "maps.app.goo.gl", "business.site", "bing.com", "yahoo.com",
    "linktr.ee", "beacons.ai", "bio.link", "linkin.bio", "carrd.co", "notion.so", "notion.site", "wix.com",
    "weebly.com", "squarespace.com", "wordpress.com", "blogger.com", "jimdo.com", "webnode.com", "strikingly.com",
    "typeform.com", "jotform.com", "calendly.com", "dropbox.com", "drive.google.com", "docs.google.com",
    "onedrive.live.com", "live.com", "sharepoint.com", "icloud.com", "apple.com", "itunes.apple.com", "archive.org",
    # shorteners
    "bit.ly", "tinyurl.com", "ow.ly", "t.co", "buff.ly", "rebrand.ly", "is.gd", "cutt.ly", "shorturl.at", "rb.gy",
    "t.ly", "tiny.cc", "s.id", "hubs.ly", "hubs.la",
})  # fmt: skip
"""Domains; what lies below them counts as well."""


def is_shared_website(host: str) -> bool:
    """Whether a website at this host (lower case, A-labels) says nothing about the company that names it as its own."""
    return not _SHARED.isdisjoint(with_parents(host)) or is_parking_host(host)
