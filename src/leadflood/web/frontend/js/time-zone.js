// Tells the server the browser's time zone, for people who have not chosen one in their profile.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone) document.cookie = `leadflood-time-zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`
