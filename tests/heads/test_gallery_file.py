"""Own galleries: every row counts or is complained about."""

import pytest

from geowhy.errors import DataError
from geowhy.heads.gallery_file import read_gallery


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "points.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("header", ["lat,lon", "LAT,LON", "Latitude,lng", " lat , longitude "])
def test_columns_by_any_usual_name(tmp_path, header):
    assert read_gallery(written(tmp_path, f"{header}\n1,2\n-3.5,180\n")).tolist() == [
        [1, 2],
        [-3.5, 180],
    ]


def test_other_columns_order_and_marks_do_not_matter(tmp_path):
    path = written(tmp_path, '\ufefflon,name,lat\n10,"a, b",20\n\n11,c,21\n')
    assert read_gallery(path).tolist() == [[20, 10], [21, 11]]


def test_bad_rows_are_named_by_their_lines(tmp_path):
    rows = ["1,2", "91,0", "x,3", "4", "5,6", "nan,1", "0,181"]
    with pytest.raises(DataError, match=r"5 of 7 rows .*line 3, 4, 5 and more;"):
        read_gallery(written(tmp_path, "lat,lon\n" + "\n".join(rows)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "header"),
        ("1,2\n3,4\n", "header is '1,2'"),
        ("lat,name\n1,2\n", "name two columns"),
        ("lat,lon\n", "no points"),
    ],
)
def test_files_that_are_no_gallery(tmp_path, text, complaint):
    with pytest.raises(DataError, match=complaint):
        read_gallery(written(tmp_path, text))


def test_a_missing_file_and_one_that_is_no_text(tmp_path):
    with pytest.raises(DataError, match="can't be read"):
        read_gallery(tmp_path / "none.csv")
    (tmp_path / "points.csv").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(DataError, match="can't be read"):
        read_gallery(tmp_path / "points.csv")


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        (
            '\ufeffName;Latitude;Longitude\r\n"A; B";9,41;-0,84\r\n;;\r\n',
            "1 place from columns Latitude, Longitude; separated by semicolons, decimal commas",
        ),
        ("X\tid\tY\n-0,84\t1\t9,41\n", "1 place from columns Y, X; separated by tabs, decimal"),
        ('"lng","lat"\n"-0.84","9.41"\n', "1 place from columns lat, lng; separated by commas"),
        ("x;y\n-0.84;9.41\n", "1 place from columns y, x; separated by semicolons"),
    ],
)
def test_tables_as_spreadsheets_and_map_programs_write_them(tmp_path, text, understood):
    said = []
    path = tmp_path / "points.csv"
    path.write_bytes(text.encode())
    assert read_gallery(path, said.append).tolist() == [[9.41, -0.84]]
    assert said[0].startswith(f"points.csv: {understood}")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Ort\tLat\tLon\r\nZürich\t9,41\t-0,84\r\n".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "Ort;Lat;Lon\nZürich;9,41;-0,84\n".encode("utf-16-be"), "UTF-16"),
        ("Ort;Lat;Lon\r\nZürich;9,41;-0,84\r\n".encode("latin-1"), "Latin-1"),
    ],
)
def test_files_of_older_programs_are_read_and_their_encoding_is_told(tmp_path, content, encoding):
    said = []
    path = tmp_path / "points.csv"
    path.write_bytes(content)
    assert read_gallery(path, said.append).tolist() == [[9.41, -0.84]]
    assert said[0].endswith(f", decimal commas, {encoding}")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
def test_the_line_that_tells_excel_the_separator_is_no_header(tmp_path, line):
    path = written(tmp_path, f"{line}\r\nlat;lon\r\n9,41;-0,84\r\n95;0\r\n")
    with pytest.raises(DataError, match=r"1 of 2 rows .*line 4;"):
        read_gallery(path)
    path.write_text(path.read_text().replace("95;0", ""))
    assert read_gallery(path).tolist() == [[9.41, -0.84]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lat,lon\n139.7,35.7\n", "line 2; the first has '139.7' and '35.7'.*look swapped"),
        ('lat,lon\n"9,41","-0,84"\n', "separate the columns by semicolons"),
        ("x;y\n500000;4649776\n", "export as EPSG:4326"),
    ],
)
def test_a_bad_row_comes_with_its_remedy(tmp_path, text, complaint):
    with pytest.raises(DataError, match=complaint):
        read_gallery(written(tmp_path, text))
