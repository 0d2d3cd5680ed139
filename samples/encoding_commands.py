"""The commands that make samples/encodings/: a line for each file, run in order by Bash in one folder.

`@` is the file that is made. A file in brackets is temporary, for later lines. `$MEDIA` is samples/media, `gst` runs
GStreamer on a WAV file, `edit` is `python -m samples.encoding_edits`. The sound is a second or two of the project's own
speech, or silence. Long recordings are silence in huge blocks, or have shifted times, so that the folder stays small.
"""

_SOURCES = """
[speech.wav] sox -D "$MEDIA/p-001/visit-0001.wav" @ trim 0.2 1.5
[short.wav] sox -D speech.wav @ trim 0.1 0.7
[stereo.wav] sox -D -M speech.wav "|sox speech.wav -p reverse" -r 48000 @
[low.wav] sox -D speech.wav -r 8000 @
[surround.wav] sox -D -M short.wav short.wav short.wav short.wav short.wav short.wav @ vol 0.02
[film.mp4] ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -c:v mpeg4 -q:v 31 @
[film.webm] ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -c:v libvpx -b:v 10k @
[five-hours.flac] sox -D -n -r 16000 -b 16 -t raw - trim 0 5:00:00 | flac -s --lax -b 65535 \
--force-raw-format --channels=1 --bps=16 --sample-rate=16000 --sign=signed --endian=little --no-padding -o @ -
[ten-seconds.mka] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a libopus -b:a 6k @
[five-hours.webm] ffmpeg -stream_loop 1799 -i ten-seconds.mka -c copy @
[five-hours.ogg] ffmpeg -stream_loop 1799 -i ten-seconds.mka -c copy @
[ten-seconds.m4a] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a aac -b:a 8k @
[five-hours.m4a] ffmpeg -stream_loop 1799 -i ten-seconds.m4a -c copy @
[ten-seconds.mp3] ffmpeg -f lavfi -i anullsrc=r=16000:cl=mono -t 10 -c:a libmp3lame -b:a 8k @
[five-hours.mp3] ffmpeg -stream_loop 1799 -i ten-seconds.mp3 -c copy @
"""

_WAV = """
normal.wav sox -D short.wav @
stereo-32k.wav sox -D stereo.wav -r 32000 @ trim 0 0.6
24-bit-extensible.wav sox -D short.wav -b 24 @
float.wav sox -D short.wav -e floating-point -b 32 @ trim 0 0.55
8-bit-odd-size.wav sox -D short.wav -b 8 @ trim 0 11111s
a-law.wav sox -D short.wav -e a-law @
mu-law.wav ffmpeg -i short.wav -c:a pcm_mulaw @
adpcm-ima.wav ffmpeg -i speech.wav -t 0.7 -ar 16000 -ac 1 -c:a adpcm_ima_wav @
adpcm-ima-sox.wav sox -D short.wav -e ima-adpcm @
adpcm-ms.wav ffmpeg -i speech.wav -c:a adpcm_ms @
adpcm-ms-sox-stereo.wav sox -D stereo.wav -r 22050 -e ms-adpcm @
adpcm-ms-piped.wav ffmpeg -i speech.wav -c:a adpcm_ms -f wav - | cat > @
adpcm-yamaha.wav ffmpeg -i speech.wav -c:a adpcm_yamaha @
g722.wav ffmpeg -i speech.wav -c:a g722 @
g726-8k.wav ffmpeg -i low.wav -c:a g726 @
gsm-8k.wav ffmpeg -i low.wav -c:a libgsm_ms @
gsm-16k.wav sox -D speech.wav -e gsm-full-rate @
mp3-within.wav ffmpeg -i speech.wav -c:a libmp3lame -b:a 32k @
wma-within.wav ffmpeg -i stereo.wav -ar 44100 -c:a wmav2 -b:a 48k @
rf64.wav ffmpeg -i short.wav -rf64 always @
broadcast.wav ffmpeg -i short.wav -write_bext 1 -metadata description=ward -write_peak on @
gstreamer.wav gst short.wav ! wavenc ! filesink location=@
piped-ffmpeg.wav ffmpeg -i short.wav -f wav - | cat > @
piped-sox.wav sox -D short.wav -t wav - | cat > @
size-0.wav edit bytes 40 00000000 normal.wav @
truncated.wav head -c 20001 normal.wav > @
concatenated.wav cat normal.wav a-law.wav > @
8k.wav sox -D low.wav -b 8 @
96k.wav sox -D short.wav -r 96000 -e ima-adpcm @
too-short.wav sox -D short.wav @ trim 0 0.3
six-channels.wav sox -D surround.wav -b 8 @
"""

_FLAC = """
normal.flac flac -s -8 -o @ short.wav
stereo-44k-24-bit.flac sox -D stereo.wav -r 44100 -b 24 @ trim 0 0.6
ffmpeg.flac ffmpeg -i short.wav @
gstreamer.flac gst short.wav ! flacenc ! filesink location=@
piped.flac flac -s -c - < short.wav | cat > @
piped-ffmpeg.flac ffmpeg -i short.wav -f flac - | cat > @
tagged.flac flac -s --padding=70000 -T title=visit -S 10x -o @ short.wav
id3-before.flac edit id3 normal.flac @
hour-2-of-5.flac ffmpeg -i five-hours.flac -f segment -segment_time 3600 -c copy part%03d.flac; mv part001.flac @
end-of-5-hours.flac ffmpeg -ss 17990 -i five-hours.flac -c copy @
begin-of-5-hours.flac ffmpeg -i five-hours.flac -t 20 -c copy @
truncated.flac head -c 20000 normal.flac > @
concatenated.flac cat normal.flac ffmpeg.flac > @
8k.flac flac -s -o @ low.wav
six-channels.flac flac -s --channel-map=none -o @ surround.wav
"""

_MP3 = """
cbr.mp3 lame --quiet -b 32 speech.wav @
cbr-without-xing.mp3 lame --quiet -t -b 32 speech.wav @
vbr.mp3 lame --quiet -V 5 speech.wav @
vbr-without-xing.mp3 lame --quiet -V 5 -t speech.wav @
abr.mp3 lame --quiet --abr 40 speech.wav @
joint-stereo-44k.mp3 lame --quiet -V 6 --resample 44.1 stereo.wav @
stereo-48k.mp3 lame --quiet -m s -b 96 --resample 48 stereo.wav @
32k.mp3 lame --quiet -b 40 --resample 32 speech.wav @
22k-mpeg-2.mp3 lame --quiet -b 32 --resample 22.05 speech.wav @
24k-mpeg-2.mp3 lame --quiet -V 7 --resample 24 speech.wav @
8k-mpeg-2.5.mp3 lame --quiet -b 8 --resample 8 speech.wav @
11k-mpeg-2.5.mp3 lame --quiet -b 16 --resample 11.025 speech.wav @
12k-mpeg-2.5.mp3 lame --quiet -V 6 --resample 12 speech.wav @
crc.mp3 lame --quiet -p -b 32 speech.wav @
tagged.mp3 lame --quiet -b 32 --add-id3v2 --pad-id3v2-size 70000 --tt visit speech.wav @
id3v1.mp3 lame --quiet -b 32 --id3v1-only --tt visit speech.wav @
two-tags.mp3 edit id3 id3v1.mp3 @
shine.mp3 ffmpeg -i stereo.wav -ar 44100 -c:a libshine -b:a 64k @
gstreamer.mp3 gst speech.wav ! lamemp3enc target=bitrate bitrate=32 ! filesink location=@
piped.mp3 ffmpeg -i speech.wav -c:a libmp3lame -q:a 6 -f mp3 - | cat > @
hour-2-of-5.mp3 ffmpeg -ss 3600 -t 10 -i five-hours.mp3 -c copy @
end-of-5-hours.mp3 ffmpeg -i five-hours.mp3 -f segment -segment_times 18065 -c copy part%d.mp3; mv part1.mp3 @
truncated.mp3 head -c 4000 vbr.mp3 > @
concatenated.mp3 cat vbr.mp3 cbr.mp3 > @
cut-head-off.mp3 tail -c +700 cbr.mp3 > @
"""

_MP4 = """
aac.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k @
aac-faststart.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags +faststart @
aac-stereo-48k.m4a ffmpeg -i stereo.wav -c:a aac -b:a 48k @
aac-44k.mp4 ffmpeg -i speech.wav -ar 44100 -c:a aac -b:a 32k @
aac-8k.m4a ffmpeg -i low.wav -c:a aac -b:a 16k @
aac-piped.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags empty_moov -f mp4 - | cat > @
fdk-lc.m4a fdkaac -S -p 2 -b 24000 -o @ speech.wav
fdk-iso-gapless.m4a fdkaac -S -p 2 -b 24000 -G 1 --moov-before-mdat -o @ speech.wav
he.m4a sox -D speech.wav -r 24000 he.wav; fdkaac -S -p 5 -b 24000 -o @ he.wav
he-44k.m4a sox -D speech.wav -r 44100 he44.wav; fdkaac -S -p 5 -b 24000 -G 2 -o @ he44.wav
he-implicit.m4a fdkaac -S -p 5 -b 24000 -f 2 -o he.aac he.wav; ffmpeg -i he.aac -c copy @
he-explicit.m4a edit explicit-sbr he.m4a @
he-v2.m4a fdkaac -S -p 29 -b 24000 -o @ stereo.wav
he-v2-implicit.m4a fdkaac -S -p 29 -b 24000 -f 2 -o hev2.aac stereo.wav; ffmpeg -i hev2.aac -c copy @
he-v2-explicit.m4a edit explicit-sbr he-v2.m4a @
he-16k.m4a fdkaac -S -p 5 -b 16000 -o @ speech.wav
ld.m4a fdkaac -S -p 23 -b 32000 -o @ he.wav
eld.m4a sox -D speech.wav -r 48000 s48.wav; fdkaac -S -p 39 -b 48000 -o @ s48.wav
eld-16k.m4a fdkaac -S -p 39 -b 48000 -o @ speech.wav
eld-sbr.m4a fdkaac -S -p 39 -L 1 -b 32000 -o @ stereo.wav
frequency-written-out.m4a edit explicit-frequency aac.m4a @
alac.m4a ffmpeg -i short.wav -c:a alac @
flac.mp4 ffmpeg -i short.wav -c:a flac -strict -2 @
opus.mp4 ffmpeg -i speech.wav -c:a libopus -b:a 16k @
mp3.mp4 ffmpeg -i speech.wav -c:a libmp3lame -b:a 32k @
voaac-gstreamer.mp4 gst speech.wav ! voaacenc bitrate=24000 ! mp4mux ! filesink location=@
3gp4.m4a ffmpeg -i speech.wav -c:a aac -b:a 24k -f 3gp @
3gp-gstreamer.m4a gst speech.wav ! voaacenc bitrate=24000 ! 3gppmux ! filesink location=@
samsung.m4a edit brands 3gp4 isom,3gp4 aac.m4a @
amr-nb-within.mp4 sox -D low.wav -C 7 amr-nb-within.amr-nb; ffmpeg -f amr -i amr-nb-within.amr-nb -c copy -f 3gp @
psp.mp4 ffmpeg -i film.mp4 -i stereo.wav -c:v copy -c:a aac -b:a 32k -f psp @
film.mp4 ffmpeg -i film.mp4 -i speech.wav -c:v copy -c:a aac -b:a 24k with.mp4; mv with.mp4 @
two-tracks.m4a ffmpeg -i speech.wav -i stereo.wav -map 0 -map 1 -c:a aac -b:a 24k @
chapters.m4a printf ';FFMETADATA1\\n[CHAPTER]\\nTIMEBASE=1/1\\nSTART=0\\nEND=1\\ntitle=a\\n' > chapters.txt; \
ffmpeg -i speech.wav -i chapters.txt -map_metadata 1 -map_chapters 1 -c:a aac -b:a 24k @
delayed.m4a ffmpeg -itsoffset 5 -i speech.wav -c:a aac -b:a 24k @
end-of-5-hours.m4a ffmpeg -i five-hours.m4a -f segment -segment_times 18070 -c copy part%d.m4a; mv part1.m4a @
hour-2-of-5.mp4 ffmpeg -ss 3600 -t 10 -i five-hours.m4a -c copy @
end-after-offset.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -output_ts_offset 18000 @
fragmented.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags frag_keyframe+empty_moov -frag_duration 400000 @
fragmented-moov-with-sound.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -movflags frag_custom -frag_duration 400000 @
dash-global-sidx.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 \
-movflags dash+global_sidx+delay_moov+default_base_moof @
dash-sidx-each.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -movflags dash+delay_moov @
cmaf.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -movflags cmaf+delay_moov @
dash-segments.mp4 ffmpeg -i stereo.wav -c:a aac -b:a 24k -seg_duration 0.7 -f dash d.mpd; \
cat init-stream0.m4s chunk-stream0-0000*.m4s > @
dash-second-segment.mp4 cat init-stream0.m4s chunk-stream0-00002.m4s > @
fragmented-after-offset.mp4 ffmpeg -i speech.wav -c:a aac -b:a 24k -output_ts_offset 18000 \
-movflags frag_keyframe+empty_moov -frag_duration 400000 @
fragmented-gstreamer.mp4 gst speech.wav ! voaacenc bitrate=24000 ! mp4mux fragment-duration=400 ! filesink location=@
fragmented-he.mp4 ffmpeg -i he.m4a -c copy -movflags frag_keyframe+empty_moov -frag_duration 400000 @
truncated-fragments.mp4 head -c 4500 fragmented.mp4 > @
truncated-faststart.m4a head -c 3500 aac-faststart.m4a > @
truncated.m4a head -c 3000 aac.m4a > @
concatenated.m4a cat aac.m4a fdk-lc.m4a > @
six-channels.m4a ffmpeg -i surround.wav -c:a aac -b:a 64k @
"""

_OGG = """
opusenc.ogg opusenc --quiet --bitrate 16 speech.wav @
opusenc-stereo.ogg opusenc --quiet --bitrate 24 --framesize 60 stereo.wav @
opusenc-8k-input.ogg opusenc --quiet --bitrate 12 low.wav @
opus-ffmpeg.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k @
opus-gstreamer.ogg gst speech.wav ! opusenc bitrate=16000 ! oggmux ! filesink location=@
opus-piped.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -f ogg - | cat > @
opus-small-pages.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -page_duration 20000 @
opus-six-channels.ogg opusenc --quiet --bitrate 160 surround.wav @
chained.ogg cat opusenc.ogg opus-ffmpeg.ogg > @
chained-same-serial.ogg cat opus-ffmpeg.ogg opus-piped.ogg > @
chained-long-first.ogg ffmpeg -stream_loop 3 -i opusenc.ogg -c copy l.ogg; cat l.ogg opus-ffmpeg.ogg > @
end-of-5-hours.ogg ffmpeg -i five-hours.ogg -f segment -segment_times 17990 -c copy part%d.ogg; mv part1.ogg @
cut-before-page.ogg ffmpeg -ss 17990 -i five-hours.ogg -c copy @
opus-after-offset.ogg ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 @
vorbis-after-offset.ogg ffmpeg -i speech.wav -c:a libvorbis -output_ts_offset 18000 @
opus-truncated.ogg head -c 2200 opus-small-pages.ogg > @
opus-with-junk-behind.ogg cat opusenc.ogg short.wav > @
vorbis.ogg oggenc -Q -q 0 speech.wav -o @
vorbis-stereo-44k.ogg sox -D stereo.wav -r 44100 v44.wav; oggenc -Q -q 0 v44.wav -o @
vorbis-8k.ogg oggenc -Q -q 0 low.wav -o @
speex-narrow.ogg speexenc --quality 4 low.wav @ 2> /dev/null
speex-wide.ogg speexenc -w --vbr speech.wav @ 2> /dev/null
speex-ultrawide.ogg sox -D speech.wav -r 32000 s32.wav; speexenc -u --nframes 3 s32.wav @ 2> /dev/null
flac.ogg flac -s --ogg -o @ short.wav
flac-ffmpeg.ogg ffmpeg -i short.wav -c:a flac @
film.ogg ffmpeg -f lavfi -i testsrc=s=32x32:r=5:d=3 -i speech.wav -c:v libtheora -c:a libvorbis @
two-streams.ogg ffmpeg -i speech.wav -i stereo.wav -map 0 -map 1 -c:a libopus -b:a 16k @
id3-before.ogg edit id3 opusenc.ogg @
"""

_AMR = """
nb-4.75.amr sox -D low.wav -C 0 nb.amr-nb; mv nb.amr-nb @
nb-7.40.amr sox -D low.wav -C 4 nb.amr-nb; mv nb.amr-nb @
nb-12.2.amr sox -D low.wav -C 7 nb.amr-nb; mv nb.amr-nb @
wb-6.60.amr gst speech.wav ! voamrwbenc band-mode=0 ! filesink location=wb-0; (printf '#!AMR-WB\\n'; cat wb-0) > @
wb-15.85.amr gst speech.wav ! voamrwbenc band-mode=4 ! filesink location=wb-4; (printf '#!AMR-WB\\n'; cat wb-4) > @
wb-23.85.amr gst speech.wav ! voamrwbenc band-mode=8 ! filesink location=wb-8; (printf '#!AMR-WB\\n'; cat wb-8) > @
wb-changing-modes.amr (printf '#!AMR-WB\\n'; cat wb-8 wb-0 wb-4) > @
wb-truncated.amr head -c 1000 wb-15.85.amr > @
wb-too-short.amr head -c 500 wb-15.85.amr > @
wb-concatenated.amr cat wb-6.60.amr wb-6.60.amr > @
"""

_WEBM = """
opus.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k @
opus-stereo.webm ffmpeg -i stereo.wav -c:a libopus -b:a 24k @
opus-cues-first.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -cues_to_front 1 @
opus-small-clusters.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -cluster_time_limit 100 @
vorbis-44k.webm ffmpeg -i stereo.wav -ar 44100 -c:a libvorbis @
vorbis-8k.webm ffmpeg -i low.wav -c:a libvorbis @
mkvmerge.webm mkvmerge -q --webm -o @ opusenc.ogg
mkvmerge-vorbis.webm mkvmerge -q --webm --disable-lacing -o @ vorbis.ogg
gstreamer.webm gst speech.wav ! opusenc bitrate=16000 ! webmmux ! filesink location=@
gstreamer-live.webm gst speech.wav ! opusenc bitrate=16000 ! webmmux streamable=true ! filesink location=@
live.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm -live 1 @
live-piped.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm -live 1 - | cat > @
piped.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -f webm - | cat > @
live-after-offset.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 -f webm -live 1 @
after-offset.webm ffmpeg -i speech.wav -c:a libopus -b:a 16k -output_ts_offset 18000 @
end-of-5-hours.webm ffmpeg -i five-hours.webm -f segment -segment_times 17990 -c copy part%d.webm; mv part1.webm @
hour-2-of-5.webm ffmpeg -ss 3600 -t 10 -i five-hours.webm -c copy @
duration-in-seconds.webm edit webm-duration 1.5 opus.webm @
duration-in-microseconds.webm edit webm-duration 1500000 opus.webm @
film.webm ffmpeg -i film.webm -i speech.wav -c:v copy -c:a libopus -b:a 16k with.webm; mv with.webm @
dash.webm ffmpeg -i stereo.wav -c:a libopus -b:a 24k -dash 1 -f webm @
truncated.webm head -c 2500 opus.webm > @
truncated-live.webm head -c 2500 live-piped.webm > @
concatenated.webm cat opus.webm live.webm > @
six-channels.webm ffmpeg -i surround.wav -c:a libopus -mapping_family 1 -b:a 64k @
"""

# Formats that Transcribe Medical doesn't take.
_OTHERS = """
adts.aac fdkaac -S -p 5 -b 24000 -f 2 -o @ he.wav
matroska.mkv ffmpeg -i speech.wav -c:a libopus -b:a 16k @
quicktime.mov ffmpeg -i speech.wav -c:a aac -b:a 24k @
core-audio.caf ffmpeg -i speech.wav -c:a libopus -b:a 16k @
smooth-streaming.ismv ffmpeg -i speech.wav -c:a aac -b:a 24k -frag_duration 400000 -f ismv @
aiff.aiff sox -D short.wav -b 8 @
"""

COMMANDS = {
    name: command.replace("@", name.strip("[]"))
    for block in (_SOURCES, _WAV, _FLAC, _MP3, _MP4, _OGG, _AMR, _WEBM, _OTHERS)
    for name, _, command in (line.partition(" ") for line in block.strip().splitlines())
}
