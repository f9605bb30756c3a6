"""Countries by continent: ISO 3166-1 codes of two and three letters, seven continents.

Where a country lies in two, it is where UN M49 has it (Cyprus, Georgia, Turkey: Asia; Russia: Europe);
North America takes in M49's Central America and Caribbean.
"""

from __future__ import annotations

_COUNTRIES = {
    "Africa": (
        "DZ:DZA AO:AGO BJ:BEN BW:BWA BF:BFA BI:BDI CM:CMR CV:CPV CF:CAF TD:TCD KM:COM CG:COG CD:COD "
        "CI:CIV DJ:DJI EG:EGY GQ:GNQ ER:ERI SZ:SWZ ET:ETH GA:GAB GM:GMB GH:GHA GN:GIN GW:GNB KE:KEN "
        "LS:LSO LR:LBR LY:LBY MG:MDG MW:MWI ML:MLI MR:MRT MU:MUS YT:MYT MA:MAR MZ:MOZ NA:NAM NE:NER "
        "NG:NGA RE:REU RW:RWA SH:SHN ST:STP SN:SEN SC:SYC SL:SLE SO:SOM ZA:ZAF SS:SSD SD:SDN TZ:TZA "
        "TG:TGO TN:TUN UG:UGA EH:ESH ZM:ZMB ZW:ZWE IO:IOT TF:ATF "
    ),
    "Antarctica": ("AQ:ATA BV:BVT HM:HMD GS:SGS "),
    "Asia": (
        "AF:AFG AM:ARM AZ:AZE BH:BHR BD:BGD BT:BTN BN:BRN KH:KHM CN:CHN CY:CYP GE:GEO HK:HKG IN:IND "
        "ID:IDN IR:IRN IQ:IRQ IL:ISR JP:JPN JO:JOR KZ:KAZ KP:PRK KR:KOR KW:KWT KG:KGZ LA:LAO LB:LBN "
        "MO:MAC MY:MYS MV:MDV MN:MNG MM:MMR NP:NPL OM:OMN PK:PAK PS:PSE PH:PHL QA:QAT SA:SAU SG:SGP "
        "LK:LKA SY:SYR TW:TWN TJ:TJK TH:THA TL:TLS TR:TUR TM:TKM AE:ARE UZ:UZB VN:VNM YE:YEM "
    ),
    "Europe": (
        "AX:ALA AL:ALB AD:AND AT:AUT BY:BLR BE:BEL BA:BIH BG:BGR HR:HRV CZ:CZE DK:DNK EE:EST FO:FRO "
        "FI:FIN FR:FRA DE:DEU GI:GIB GR:GRC GG:GGY VA:VAT HU:HUN IS:ISL IE:IRL IM:IMN IT:ITA JE:JEY "
        "LV:LVA LI:LIE LT:LTU LU:LUX MT:MLT MD:MDA MC:MCO ME:MNE NL:NLD MK:MKD NO:NOR PL:POL PT:PRT "
        "RO:ROU RU:RUS SM:SMR RS:SRB SK:SVK SI:SVN ES:ESP SJ:SJM SE:SWE CH:CHE UA:UKR GB:GBR "
    ),
    "North America": (
        "AI:AIA AG:ATG AW:ABW BS:BHS BB:BRB BZ:BLZ BM:BMU BQ:BES CA:CAN KY:CYM CR:CRI CU:CUB CW:CUW "
        "DM:DMA DO:DOM SV:SLV GL:GRL GD:GRD GP:GLP GT:GTM HT:HTI HN:HND JM:JAM MQ:MTQ MX:MEX MS:MSR "
        "NI:NIC PA:PAN PR:PRI BL:BLM KN:KNA LC:LCA MF:MAF PM:SPM VC:VCT SX:SXM TT:TTO TC:TCA US:USA "
        "VG:VGB VI:VIR "
    ),
    "Oceania": (
        "AS:ASM AU:AUS CX:CXR CC:CCK CK:COK FJ:FJI PF:PYF GU:GUM KI:KIR MH:MHL FM:FSM NR:NRU NC:NCL "
        "NZ:NZL NU:NIU NF:NFK MP:MNP PW:PLW PG:PNG PN:PCN WS:WSM SB:SLB TK:TKL TO:TON TV:TUV UM:UMI "
        "VU:VUT WF:WLF "
    ),
    "South America": (
        "AR:ARG BO:BOL BR:BRA CL:CHL CO:COL EC:ECU FK:FLK GF:GUF GY:GUY PY:PRY PE:PER SR:SUR UY:URY VE:VEN "
    ),
}

#: Continent by code.
CONTINENTS = {
    code: continent
    for continent, countries in _COUNTRIES.items()
    for pair in countries.split()
    for code in pair.split(":")
}
