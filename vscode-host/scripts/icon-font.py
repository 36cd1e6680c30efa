"""Draws the status bar icon and writes it as a font: python3 scripts/icon-font.py media/icons.woff (needs fonttools)."""
import sys
from math import cos,sin,pi
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
# Design space: icon.svg's 256 box, scaled to 1000 with margins; y down -> up.
S=1000/200; OX,OY=128,122
def P(x,y): return (round(500+(x-OX)*S), round(500-(y-OY)*S)-100)
def contour(pen,pts):
    pts=[P(*p) for p in pts]
    area=sum(x1*y2-x2*y1 for (x1,y1),(x2,y2) in zip(pts,pts[1:]+pts[:1]))
    if area>0: pts=pts[::-1]   # clockwise = filled
    pen.moveTo(pts[0]); [pen.lineTo(p) for p in pts[1:]]; pen.closePath()
def arc(pen,cx,cy,r,a0,a1,w):
    n=14
    A=[a0+(a1-a0)*i/n for i in range(n+1)]
    out=[(cx+(r+w/2)*cos(a),cy+(r+w/2)*sin(a)) for a in A]
    inn=[(cx+(r-w/2)*cos(a),cy+(r-w/2)*sin(a)) for a in reversed(A)]
    contour(pen,out+inn)
def line(pen,x0,y0,x1,y1,w):
    d=((x1-x0)**2+(y1-y0)**2)**.5; nx,ny=-(y1-y0)/d*w/2,(x1-x0)/d*w/2
    contour(pen,[(x0+nx,y0+ny),(x1+nx,y1+ny),(x1-nx,y1-ny),(x0-nx,y0-ny)])
pen=TTGlyphPen(None)
W=14
for r in (46,80):
    arc(pen,128,104,r,-pi*0.27,pi*0.27,W); arc(pen,128,104,r,pi-pi*0.27,pi+pi*0.27,W)
line(pen,128,104,92,214,W); line(pen,128,104,164,214,W); line(pen,106,172,150,172,W)
n=24; contour(pen,[(128+19*cos(2*pi*i/n),104+19*sin(2*pi*i/n)) for i in range(n)])
g=pen.glyph()
fb=FontBuilder(1000,isTTF=True)
fb.setupGlyphOrder(['.notdef','antenna']); fb.setupCharacterMap({0xE001:'antenna'})
e=TTGlyphPen(None).glyph()
fb.setupGlyf({'.notdef':e,'antenna':g}); fb.setupHorizontalMetrics({'.notdef':(1000,0),'antenna':(1000,0)})
fb.setupHorizontalHeader(ascent=900,descent=-100); fb.setupOS2(sTypoAscender=900,sTypoDescender=-100,usWinAscent=900,usWinDescent=100)
fb.setupNameTable({'familyName':'Copilot Proxy','styleName':'Regular'}); fb.setupPost()
fb.font['head'].created=fb.font['head'].modified=0
fb.font.recalcTimestamp=False
fb.font.flavor='woff'
fb.font.save(sys.argv[1])
