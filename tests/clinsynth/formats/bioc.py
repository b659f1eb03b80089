"""An invented BioC collection in BC5CDR's manner, and a document as PubTator 3 gives it."""

XML = """\
<?xml version='1.0' encoding='UTF-8'?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>none</source><date></date><key></key>
<document><id>301</id>
<passage><infon key="type">title</infon><offset>0</offset><text>Zorvexin and café tremor</text>
<annotation id="0"><infon key="type">Chemical</infon><infon key="MESH">D1</infon>
<location offset="0" length="8"/><text>Zorvexin</text></annotation>
</passage>
<passage><infon key="type">abstract</infon><offset>25</offset><text>Mild or severe ataxia.</text>
<annotation id="1"><infon key="type">Disease</infon><infon key="MESH">D2|D3</infon>
<location offset="25" length="4"/><location offset="40" length="6"/><text>Mild ataxia</text></annotation>
</passage>
<relation id="R0"><infon key="relation">CID</infon><infon key="Chemical">D1</infon>
<infon key="Disease">D3</infon></relation>
</document>
</collection>
"""

PUBTATOR3 = {
    "id": "7",
    "passages": [
        {
            "infons": {"type": "title"},
            "offset": 0,
            "text": "Zorvexin",
            "annotations": [
                {
                    "id": "0",
                    "infons": {"type": "Chemical", "identifier": "MESH:D1", "valid": True},
                    "text": "Zorvexin",
                    "locations": [{"offset": 0, "length": 8}],
                }
            ],
        },
        {
            "infons": {"type": "abstract"},
            "offset": 9,
            "text": "tremor",
            "annotations": [
                {
                    "id": "0",
                    "infons": {"type": "Disease", "identifier": "MESH:D2"},
                    "text": "tremor",
                    "locations": [{"offset": 9, "length": 6}],
                }
            ],
        },
    ],
    "relations": [
        {
            "infons": {
                "type": "Association",
                "score": "0.9",
                "role1": {"identifier": "MESH:D1"},
                "role2": {"identifier": "MESH:D2"},
            },
            "nodes": [{"refid": "0", "role": "1,0"}, {"refid": "1", "role": "2,0"}],
        }
    ],
}
